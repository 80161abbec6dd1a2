"""What refinement buys on validation pairs: layer x step size x proximity, and every number of steps on the way.

    python benchmarks/refinement_sweep.py CHECKPOINT PNG OVERRIDES...

CHECKPOINT is of an adversarial or a collaborative run; OVERRIDES are of conf/train.yaml and say which data and corruption, such
as `experiment=super_resolve_piano_mugan data.root=DIR`. Prints what ten steps change against the generator alone, and draws the
change of every metric by step for each layer, at the middle step size.
"""

import sys
from itertools import product
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_module
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conf.compose import instantiate
from lightning_modules.checkpoint import build_restorer, find_checkpoint, read_checkpoint
from lightning_modules.collaborative_gan import CollaborativeGANModule, load_networks
from lightning_modules.lsd import LogSpectralDistance, lsd_hf
from lightning_modules.snr import si_sdr_db, snr_db

LAYERS = (2, 4, 6, 7)
STEP_SIZES = (0.01, 0.03, 0.1)
PROXIMITIES = (0.0, 1.0)
STEPS = 10
PAIRS = 8
METRICS = ("logit", "snr_db", "si_sdr_db", "lsd", "lsd_hf")


def main(checkpoint: Path, picture: Path, overrides: list[str]) -> None:
    names = ["run_name=b", "run_dir=b", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=[*overrides, *names])
    data = instantiate(cfg.data)
    data.setup("fit")
    pairs = data.val_dataloader().dataset
    batch = [pairs[index * len(pairs) // PAIRS] for index in range(PAIRS)]
    clean, corrupted = (torch.stack([pair[name] for pair in batch]) for name in ("clean", "corrupted"))
    print(f"{'layer':>5} {'step':>5} {'prox':>5} " + " ".join(f"{name:>10}" for name in METRICS))
    curves = {}
    for layer, step_size, proximity in product(LAYERS, STEP_SIZES, PROXIMITIES):
        module = collaborative(checkpoint, layer, step_size, proximity)
        means = by_step(module, clean, corrupted, lsd_hf(module.sample_rate, data.cutoff_hz))
        change = {name: values[-1] - values[0] for name, values in means.items()}
        line = " ".join(f"{change[name]:>+10.3f}" for name in METRICS)
        print(f"{layer:>5} {step_size:>5} {proximity:>5} {line}", flush=True)
        if step_size == STEP_SIZES[1] and proximity == PROXIMITIES[0]:
            curves[layer] = means
    draw(picture, curves)


def collaborative(checkpoint: Path, layer: int, step_size: float, proximity: float) -> CollaborativeGANModule:
    """Open any adversarial checkpoint as a collaborative GAN with these settings."""
    config = read_checkpoint(find_checkpoint(checkpoint))["model_config"]
    refinement = {"_target_": "models.refinement.Refinement", "steps": STEPS, "step_size": step_size}
    shaping = {"_target_": "lightning_modules.shaping.Shaping"}
    settings = {"refinement": refinement, "shaping": shaping, "layer": layer, "proximity": proximity}
    target = "lightning_modules.collaborative_gan.CollaborativeGANModule"
    module: Any = build_restorer({**config, "_target_": target, **settings})
    load_networks(module, checkpoint)
    module.eval()
    return module


@torch.no_grad()
def by_step(
    module: CollaborativeGANModule, clean: torch.Tensor, corrupted: torch.Tensor, high_band: LogSpectralDistance
) -> dict[str, list[float]]:
    """Return the mean of every metric after 0, 1, ... steps."""
    functions = {"snr_db": snr_db, "si_sdr_db": si_sdr_db, "lsd": LogSpectralDistance(), "lsd_hf": high_band}
    means: dict[str, list[float]] = {name: [] for name in METRICS}
    for signal in module.estimates(corrupted):
        assert module.discriminator is not None
        means["logit"].append(module.discriminator(signal, corrupted)[0].mean().item())
        for name, function in functions.items():
            means[name].append(function(signal, clean).mean().item())
    return means


def draw(picture: Path, curves: dict[int, dict[str, list[float]]]) -> None:
    figure = Figure(figsize=(3 * len(METRICS), 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(METRICS)), METRICS, strict=True):
        for layer, means in curves.items():
            axes.plot([value - means[name][0] for value in means[name]], label=f"layer {layer}")
        axes.set(title=f"change of {name}", xlabel="step")
        axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
