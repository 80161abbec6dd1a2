"""What a method that works in steps is worth after each of them: a table, a plot, and spectrograms on the way."""

import csv
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lightning_modules.metrics.collection import build_metrics
from lightning_modules.metrics.registry import LEAST_SPAN, METRICS, computed_in
from lightning_modules.runs.figures import Curve, save_curves, save_spectrograms
from lightning_modules.runs.titles import direction
from lightning_modules.stepwise import Stepwise

ByStep = dict[str, list[float]]
"""Means over the test pairs after 0, 1, ... T steps, by metric."""

QUARTERS = 4


def write_steps(folder: Path, module: Stepwise, data: Any, indices: Sequence[int]) -> ByStep:
    """Score every step of a method, write by_step.csv, and return the means.

    Args:
        folder: of the run.
        module: the method.
        data: has the test pairs {"clean": (C, T), "corrupted": (C, T), "index"}.
        indices: of the pairs to score, at least one.
    """
    means = score_by_step(module, data, indices)
    write_table(folder / "by_step.csv", means)
    return means


def draw_steps(folder: Path, module: Stepwise, data: Any, means: ByStep, shown: int, title: str) -> list[Path]:
    """Write by_step.png and examples/NNNN_steps.png, and return their paths.

    Args:
        folder: of the run.
        module: the method.
        data: has the test pairs.
        means: from `write_steps`.
        shown: index of the pair whose spectrograms are drawn.
        title: over them.
    """
    pictures = [folder / "by_step.png", folder / "examples" / f"{shown:04d}_steps.png"]
    save_curves(pictures[0], [curve_of(key, values) for key, values in means.items()], "step")
    pictures[1].parent.mkdir(parents=True, exist_ok=True)
    estimates = _estimates(module, data.test_dataloader().dataset[shown]["corrupted"])
    stages = {f"step {step}": estimates[step].cpu() for step in quarters(len(estimates) - 1)}
    save_spectrograms(pictures[1], stages, data.sample_rate, title)
    return pictures


def curve_of(name: str, values: Sequence[float]) -> Curve:
    r"""Describe means by step in words; what is no metric is a score that the method gives itself.

    >>> curve_of("si_sdr_db", [1.0]).title, curve_of("logit", [1.0]).title
    ('scale-invariant signal-to-distortion ratio\n(higher is better)', "the method's own logit")
    """
    if name not in METRICS:
        return Curve(values, f"the method's own {name}", "", LEAST_SPAN)
    metric = METRICS[name]
    return Curve(values, f"{metric.title}\n({direction(name)})", metric.unit, metric.least_span)


def score_by_step(module: Stepwise, data: Any, indices: Sequence[int]) -> ByStep:
    """Return the means over the test pairs, each with the same weight, after 0, 1, ... T steps.

    Beside the metrics stand the scores that the method gives its estimates itself.
    """
    metrics = build_metrics(computed_in("steps"), data.sample_rate, data.cutoff_hz)
    pairs, rows = data.test_dataloader().dataset, defaultdict(list)
    for index in indices:
        pair = pairs[index]
        estimates = _estimates(module, pair["corrupted"])  # (T + 1, C, T)
        clean = pair["clean"].to(estimates).expand_as(estimates)
        with torch.no_grad():
            own = module.step_scores(estimates, pair["corrupted"][None].to(estimates))
        for name, values in (own | {name: metric.function(estimates, clean) for name, metric in metrics.items()}).items():
            rows[name].append(values)
    return {name: torch.stack(values).mean(dim=0).tolist() for name, values in rows.items()}


def _estimates(module: Stepwise, corrupted: Tensor) -> Tensor:
    module.eval()
    with torch.no_grad():
        return module.estimates(corrupted[None].to(module.device))[:, 0]


def quarters(steps: int) -> list[int]:
    """Return the steps at 0, a quarter, half, three quarters and the whole of the way, without repetitions.

    >>> quarters(8), quarters(2)
    ([0, 2, 4, 6, 8], [0, 1, 2])
    """
    return sorted({round(part * steps / QUARTERS) for part in range(QUARTERS + 1)})


def write_table(path: Path, means: Mapping[str, Sequence[float]]) -> None:
    """Write a line per step: its number and the metrics."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *means])
        writer.writerows([step, *values] for step, values in enumerate(zip(*means.values(), strict=True)))
