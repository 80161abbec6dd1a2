"""Every choice of every group of the configuration."""

from pathlib import Path

from conf.compose import FOLDER

SWEEPS = Path(__file__).parents[2] / "sweeps" / "sweep"
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c", "trainer.max_epochs=3"]
GROUPS = ("model", "corruption", "data", "trainer", "logger", "callbacks", "experiment")
NEEDED = {("corruption", "callable"): ["corruption.transform._target_=datamodules.corruptions.g712.G712"]}
"""What a choice is of no use without: keys that the user has to give."""
FRAGMENTS = {
    "optimizer": ("model.optimizer", "unet_small"),
    "scheduler": ("model.scheduler", "unet_small"),
    "warm_up": ("model.warm_up", "mugan_small"),
    "discriminator": ("model.discriminator", "mugan_small"),
    "autoencoder": ("model.autoencoder", "mugan_small"),
}


def files(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.yaml"))


CHOICES = [
    [f"{group}={name}", *NEEDED.get((group, name), [])]
    for group in GROUPS
    for name in files(FOLDER / group)
    if (group, name) != ("trainer", "test")
]
CHOICES += [
    [f"model={model}", f"{group}@{place}={name}"] for group, (place, model) in FRAGMENTS.items() for name in files(FOLDER / group)
]
