"""The comparison every run ends with: the input, the best blind classical method and the method itself, on the same pairs."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import Dataset

from lightning_modules.base import RestorationModule
from lightning_modules.metric_names import HIGHER_IS_BETTER

Kind = Literal["corrupted", "classical", "oracle", "learned"]
Row = Mapping[str, float]


@dataclass(frozen=True)
class Scores:
    """One row of a table: a method and its mean over the test pairs, by metric."""

    name: str
    kind: Kind
    means: dict[str, float]


@dataclass(frozen=True)
class Example:
    """One test pair and what a method made of it; all (C, T) on the CPU."""

    index: int
    corrupted: Tensor
    restored: Tensor
    clean: Tensor


def kind_of(module: RestorationModule) -> Kind:
    """Tell a learned method from one without parameters, and both from one that is told the clean signal."""
    if module.told_clean:
        return "oracle"
    return "learned" if any(True for _ in module.net.parameters()) else "classical"


def score_pairs(module: RestorationModule, data: pl.LightningDataModule, trainer: pl.Trainer) -> list[Row]:
    """Run the test loop and return one row per test pair, ordered by index.

    Args:
        module: the method.
        data: gives the test pairs.
        trainer: runs them, in one process, and logs the means.

    Returns:
        Per pair: `index`, and every metric for the restored and (`corrupted_...`) for the corrupted signal.
    """
    trainer.test(module, datamodule=data, verbose=False)
    return sorted(module.test_rows, key=lambda row: row["index"])


def mean_scores(name: str, kind: Kind, rows: Sequence[Row]) -> Scores:
    """Average the rows of a method, pair by pair with equal weight.

    Args:
        name: of the method.
        kind: "corrupted" averages the `corrupted_...` columns.
        rows: from `score_pairs`, at least one.
    """
    prefix = "corrupted_" if kind == "corrupted" else ""
    metrics = [name for name in HIGHER_IS_BETTER if f"{prefix}{name}" in rows[0]]
    means = {metric: _mean([row[f"{prefix}{metric}"] for row in rows]) for metric in metrics}
    return Scores(name, kind, means)


def _mean(values: Sequence[float]) -> float:
    """Average the values that exist (PESQ of silence does not); NaN when none does."""
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def is_better(metric: str, value: float, other: float) -> bool:
    """Say whether `value` is strictly better than `other` in this metric."""
    return value > other if HIGHER_IS_BETTER[metric] else value < other


def best(scores: Sequence[Scores], metric: str) -> Scores:
    """Return the best of some methods in a metric; the first of equals."""
    direction = 1 if HIGHER_IS_BETTER[metric] else -1
    return max(scores, key=lambda row: direction * row.means[metric])


def unbeaten(method: Scores, others: Sequence[Scores], metric: str) -> list[str]:
    """Name the others that a method does not beat in a metric: an honest table marks it."""
    return [other.name for other in others if not is_better(metric, method.means[metric], other.means[metric])]


def compare(
    method: tuple[str, RestorationModule],
    baselines: Mapping[str, RestorationModule],
    data: pl.LightningDataModule,
    trainer: pl.Trainer,
    quiet: pl.Trainer,
) -> tuple[list[Scores], list[Row]]:
    """Score a method beside its input and methods without training.

    Args:
        method: its name and module.
        baselines: methods without training, by name.
        data: gives the test pairs.
        trainer: runs the method's test, and its loggers see the result.
        quiet: runs the baselines' tests, without a logger.

    Returns:
        The rows of the table: corrupted, baselines ..., method; and the method's row per test pair.
    """
    name, module = method
    rows = score_pairs(module, data, trainer)
    table = [mean_scores("corrupted", "corrupted", rows)]
    table += [
        mean_scores(other, kind_of(net), score_pairs(net, data, quiet)) for other, net in baselines.items() if other != name
    ]
    return [*table, mean_scores(name, kind_of(module), rows)], rows


def with_best_classical(table: Sequence[Scores], metric: str) -> list[Scores]:
    """Keep, of the classical rows, the best in `metric` only; the last row stays whatever it is."""
    *others, method = table
    classical = [row for row in others if row.kind == "classical"]
    kept = [best(classical, metric)] if classical else []
    return [*(row for row in others if row.kind != "classical"), *kept, method]


def restore_examples(module: RestorationModule, pairs: Dataset[dict[str, Any]], indices: Sequence[int]) -> list[Example]:
    """Restore a few test pairs to listen to.

    Args:
        module: the method.
        pairs: test pairs {"clean": (C, T), "corrupted": (C, T), "index"}.
        indices: positions in `pairs`.
    """
    module.eval()
    examples = []
    for index in indices:
        pair = pairs[index]
        clean, corrupted = pair["clean"][None].to(module.device), pair["corrupted"][None].to(module.device)
        with torch.no_grad():
            restored = module.restore_pair(corrupted, clean)
        examples.append(Example(index, corrupted[0].cpu(), restored[0].cpu(), clean[0].cpu()))
    return examples


def spread(total: int, count: int) -> list[int]:
    """Return up to `count` positions spread evenly over `total`.

    >>> spread(10, 4)
    [0, 2, 5, 7]
    """
    count = min(total, count)
    return [position * total // count for position in range(count)]
