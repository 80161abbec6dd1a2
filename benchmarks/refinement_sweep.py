"""What refinement buys on validation pairs: layer x step size x proximity, and every number of steps on the way.

    python benchmarks/refinement_sweep.py CHECKPOINT PNG OVERRIDES...

CHECKPOINT is of an adversarial run, or of a collaborative one, whose own layer and step size are taken; OVERRIDES are of
conf/train.yaml and say which data and corruption, such as `experiment=super_resolve_piano_mugan data.root=DIR`. Prints what five
steps change against the generator alone, what white noise in their place changes, and draws every metric by step for each layer,
at the step size that lowers LSD most.
"""

import argparse
import sys
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_module
from matplotlib.figure import Figure

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from conf.compose import instantiate
from lightning_modules.collaborative_gan import CollaborativeGANModule
from lightning_modules.metrics.collection import MeanOverExamples, build_metrics
from lightning_modules.runs import by_step
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.runs.starting import open_origin, start_from

LAYERS = (2, 4, 6, 7)
STEP_SIZES = (0.0005, 0.002, 0.01, 0.03, 0.1)
PROXIMITIES = (0.0, 1.0)
STEPS = 5
NOISE_LEVELS = (0.0002, 0.0005, 0.001, 0.002)
PAIRS = 8
METRICS = ("logit", *by_step.METRICS)


def main(checkpoint: Path, picture: Path, overrides: list[str]) -> None:
    names = ["run_name=b", "run_dir=b", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        cfg = compose("train", overrides=[*overrides, *names])
    data = instantiate(cfg.data)
    data.setup("fit")
    pairs = data.val_dataloader().dataset
    batch = [pairs[index * len(pairs) // PAIRS] for index in range(PAIRS)]
    clean, corrupted = (torch.stack([pair[name] for pair in batch]) for name in ("clean", "corrupted"))
    print(f"{'layer':>5} {'step':>6} {'prox':>4} " + " ".join(f"{name:>10}" for name in METRICS))
    curves: dict[str, dict[str, list[float]]] = {}
    metrics = build_metrics(by_step.METRICS, data.sample_rate, data.cutoff_hz)
    for layer, step_size, proximity in settings_of(checkpoint):
        module = collaborative(checkpoint, layer, step_size, proximity)
        means = scored(module, module.estimates(corrupted), clean, corrupted, metrics)
        tell(f"{module.layer:>5} {step_size:>6} {proximity:>4}", means)
        label = f"layer {module.layer}"
        if label not in curves or means["lsd"][-1] < curves[label]["lsd"][-1]:
            curves[label] = means
    first, draws = module.with_num_steps(0).restore(corrupted), torch.Generator().manual_seed(0)
    for level in NOISE_LEVELS:
        noise = torch.randn(first.shape, generator=draws) * first.square().mean(dim=(1, 2), keepdim=True).sqrt()
        tell(f"white noise {level:>5}", scored(module, torch.stack([first, first + level * noise]), clean, corrupted, metrics))
    draw(picture, curves)


def tell(label: str, means: dict[str, list[float]]) -> None:
    print(f"{label:>17} " + " ".join(f"{means[name][-1] - means[name][0]:>+10.3f}" for name in METRICS), flush=True)


def settings_of(checkpoint: Path) -> list[tuple[int | None, float, float]]:
    """Return layer, step size and proximity of a collaborative run, or all that are tried with any other."""
    config = open_origin("checkpoint", str(checkpoint)).config
    if "refinement" in config:
        return [(config["layer"], config["refinement"]["step_size"], config["proximity"])]
    return list(product(LAYERS, STEP_SIZES, PROXIMITIES))


def collaborative(checkpoint: Path, layer: int | None, step_size: float, proximity: float) -> CollaborativeGANModule:
    """Open any adversarial checkpoint as a collaborative GAN with these settings."""
    origin = open_origin("checkpoint", str(checkpoint))
    refinement = {"_target_": "models.refinement.Refinement", "steps": STEPS, "step_size": step_size}
    shaping = {"_target_": "lightning_modules.training.shaping.Shaping"}
    settings = {"refinement": refinement, "shaping": shaping, "layer": layer, "proximity": proximity}
    target = "lightning_modules.collaborative_gan.CollaborativeGANModule"
    module: Any = build_restorer({**origin.config, "_target_": target, **settings})
    start_from(module, origin)
    module.eval()
    return module


@torch.no_grad()
def scored(
    module: CollaborativeGANModule,
    signals: torch.Tensor,
    clean: torch.Tensor,
    corrupted: torch.Tensor,
    metrics: Mapping[str, MeanOverExamples],
) -> dict[str, list[float]]:
    """Return the mean of every metric over the pairs for each of some (K + 1, B, C, T) signals."""
    means: dict[str, list[float]] = {name: [] for name in METRICS}
    for signal in signals:
        assert module.discriminator is not None
        means["logit"].append(module.discriminator(signal, corrupted)[0].mean().item())
        for name, metric in metrics.items():
            means[name].append(metric.function(signal, clean).mean().item())
    return means


def draw(picture: Path, curves: dict[str, dict[str, list[float]]]) -> None:
    figure = Figure(figsize=(3 * len(METRICS), 3), layout="constrained")
    for axes, name in zip(figure.subplots(1, len(METRICS)), METRICS, strict=True):
        for label, means in curves.items():
            axes.plot([value - means[name][0] for value in means[name]], label=label)
        axes.set(title=f"change of {name}", xlabel="step")
        axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(picture, dpi=110)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT")
    parser.add_argument("picture", type=Path, metavar="PNG")
    parser.add_argument("overrides", nargs="*", metavar="OVERRIDES")
    options = parser.parse_args()
    main(options.checkpoint, options.picture, options.overrides)
