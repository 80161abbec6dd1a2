"""What a method that works in steps is worth after each of them: a table, a plot, and spectrograms on the way."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lightning_modules.base import RestorationModule
from lightning_modules.figures import save_curves, save_spectrograms
from lightning_modules.lsd import lsd
from lightning_modules.metrics import MetricFunction
from lightning_modules.snr import si_sdr_db

ByStep = dict[str, list[float]]
"""Means over the test pairs after 0, 1, ... T steps, by metric."""

METRICS: dict[str, MetricFunction] = {"si_sdr_db": si_sdr_db, "lsd": lsd}
QUARTERS = 4


def write_steps(
    folder: Path, module: RestorationModule, pairs: Dataset[dict[str, Any]], indices: Sequence[int], shown: int, sample_rate: int
) -> tuple[ByStep, list[Path]]:
    """Score every step of a method, and write by_step.csv, by_step.png and examples/steps_NNNN.png.

    Args:
        folder: of the run.
        module: works in steps.
        pairs: test pairs {"clean": (C, T), "corrupted": (C, T), "index"}.
        indices: of the pairs to score, at least one.
        shown: of these, the pair whose spectrograms are drawn.
        sample_rate: in Hz.

    Returns:
        The means, and the paths of the pictures.
    """
    means = score_by_step(module, pairs, indices)
    write_table(folder / "by_step.csv", means)
    pictures = [folder / "by_step.png", folder / "examples" / f"{shown:04d}_steps.png"]
    save_curves(pictures[0], means, "step")
    pictures[1].parent.mkdir(parents=True, exist_ok=True)
    estimates = _estimates(module, pairs[shown]["corrupted"])
    stages = {f"step {step}": estimates[step] for step in quarters(len(estimates) - 1)}
    save_spectrograms(pictures[1], stages, sample_rate, f"test pair {shown}")
    return means, pictures


def score_by_step(module: RestorationModule, pairs: Dataset[dict[str, Any]], indices: Sequence[int]) -> ByStep:
    """Return the means over the pairs, each with the same weight, after 0, 1, ... T steps."""
    rows: dict[str, list[Tensor]] = {name: [] for name in METRICS}
    for index in indices:
        estimates = _estimates(module, pairs[index]["corrupted"])  # (T + 1, C, T)
        clean = pairs[index]["clean"].expand_as(estimates)
        for name, metric in METRICS.items():
            rows[name].append(metric(estimates, clean))
    return {name: torch.stack(values).mean(dim=0).tolist() for name, values in rows.items()}


def _estimates(module: RestorationModule, corrupted: Tensor) -> Tensor:
    module.eval()
    with torch.no_grad():
        return module.estimates(corrupted[None].to(module.device))[:, 0].cpu()


def quarters(steps: int) -> list[int]:
    """Return the steps at 0, a quarter, half, three quarters and the whole of the way, without repetitions.

    >>> quarters(8), quarters(2)
    ([0, 2, 4, 6, 8], [0, 1, 2])
    """
    return sorted({round(part * steps / QUARTERS) for part in range(QUARTERS + 1)})


def write_table(path: Path, means: Mapping[str, Sequence[float]]) -> None:
    """Write a line per step: its number and the metrics."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *means])
        writer.writerows([step, *values] for step, values in enumerate(zip(*means.values(), strict=True)))


def log_steps(logger: Any, pictures: Sequence[Path]) -> None:
    """Send the pictures to a logger that takes media (W&B); others are left alone."""
    if hasattr(logger, "log_image"):
        for picture in pictures:
            logger.log_image(f"steps/{picture.stem}", [str(picture)])
