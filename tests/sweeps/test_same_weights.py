"""Several processes train what one does that takes their batches together: the weights agree."""

import sys
from pathlib import Path

import pytest
import torch

from tests.sweeps.ranks import NET, QUICK, start, torchrun

pytestmark = pytest.mark.posix
GAN = ["model.net.depth=2", "model.net.filters=[8,8]", "model.discriminator.depth=2", "model.discriminator.filters=[4,4,4]"]
GAN += ["model.autoencoder.depth=2", "model.autoencoder.filters=[8,8]", "model.autoencoder.norm=group"]
METHODS = {
    "unet_small": NET,
    "conv_rnn": ["model.net.state_channels=4", "model.net.hidden_channels=8", "model.training_steps=[2,5]"],
    "mugan_small": GAN,
    "collaborative_gan_small": [*GAN, "model.layer=1", "refinement_steps=2", "model.shaping.after_epochs=1"],
}
SEVERAL = ["generator_optimizer", "discriminator_optimizer", "autoencoder_optimizer"]
OPTIMIZERS = {name: SEVERAL if "gan" in name else ["optimizer"] for name in METHODS}
"""Adam divides a gradient by its own size, so that where it is zero but for rounding, rounding decides which way to go."""


def weights(folder: Path, part: str = "current_model_state") -> dict[str, torch.Tensor]:
    """Return the weights that a training has come to, or their average."""
    state: dict[str, torch.Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)[part]
    return {name: value for name, value in state.items() if value.is_floating_point() and not name.endswith("_extra_state")}


def furthest(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> dict[str, float]:
    """Return the largest difference of each tensor."""
    assert first.keys() == second.keys()
    return {name: float((second[name] - value).abs().max()) for name, value in first.items()}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 4])
@pytest.mark.parametrize("method", METHODS)
def test_processes_come_to_the_weights_of_one(tiny: list[str], tmp_path: Path, method: str, processes: int) -> None:
    common = [*tiny, f"model={method}", *METHODS[method], *QUICK, "trainer.max_epochs=2", "examples=0"]
    common += [f"optimizer@model.{name}=sgd" for name in OPTIMIZERS[method]]
    common += [f"model.{name}.lr=1e-4" for name in OPTIMIZERS[method]]
    of_one = ["trainer.devices=1", "data.batch_size=8", f"hydra.run.dir={tmp_path / 'one'}"]
    of_several = [f"data.batch_size={8 // processes}", f"hydra.run.dir={tmp_path / 'several'}"]
    alone = start([sys.executable, "train.py", *common, *of_one], tmp_path / "one.txt")
    together = torchrun(processes, [*common, *of_several], tmp_path / "several.txt")
    assert [process.wait(timeout=280) for process in (alone, together)] == [0, 0]
    one, several = weights(tmp_path / "one"), weights(tmp_path / "several")
    assert {name: distance for name, distance in furthest(one, several).items() if distance > 1e-6} == {}
    least = 1e-6 if method == "collaborative_gan_small" else 1e-5  # whose generator rests while the discriminator is shaped
    assert max(furthest(one, weights(tmp_path / "one", "state_dict")).values()) > least, "nothing moved"
