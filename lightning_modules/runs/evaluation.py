"""What a method is worth on the test pairs: its scores, its row in a table, and some pairs to listen to."""

import math
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.exceptions import SIGTERMException
from torch import Tensor
from torch.utils.data import Dataset

from lightning_modules.base import RestorationModule
from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import changed_share

Kind = Literal["corrupted", "classical", "oracle", "learned"]
Row = Mapping[str, float]


@dataclass(frozen=True)
class Scores:
    """One row of a table: a method and its mean over the test pairs, by metric.

    `failure` says why a method has no scores; `changed_share` is the share of the pairs that it changes.
    """

    name: str
    kind: Kind
    means: dict[str, float]
    changed_share: float = 1.0
    failure: str | None = None

    @property
    def label(self) -> str:
        """What a table calls the row."""
        return self.name


@dataclass(frozen=True)
class Example:
    """One test pair, what a method made of it, and by name what others did; all (C, T) on the CPU."""

    index: int
    corrupted: Tensor
    restored: Tensor
    clean: Tensor
    controls: Mapping[str, Tensor] = field(default_factory=dict)


def kind_of(module: RestorationModule) -> Kind:
    """Tell a learned method from one without parameters, and both from one that is told the clean signal."""
    if module.is_oracle:
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

    Raises:
        ValueError: if there is no test pair.
        SystemExit: 143, after a SIGTERM that nobody but Lightning listens to.
    """
    try:
        trainer.test(module, datamodule=data, verbose=False)
    except SIGTERMException as ended:  # an exit with code 0, if it were left to Lightning
        raise SystemExit(128 + signal.SIGTERM) from ended
    if not module.test_rows:
        raise ValueError("no test pair was scored; give limit_test_batches at least 1")
    return sorted(module.test_rows, key=lambda row: row["index"])


def mean_scores(name: str, kind: Kind, rows: Sequence[Row]) -> Scores:
    """Average the rows of a method, pair by pair with equal weight.

    Args:
        name: of the method.
        kind: "corrupted" averages the `corrupted_...` columns.
        rows: from `score_pairs`, at least one.
    """
    prefix = "corrupted_" if kind == "corrupted" else ""
    metrics = [name for name in METRICS if f"{prefix}{name}" in rows[0]]
    of_both = {metric: [(row[f"{prefix}{metric}"], row[f"corrupted_{metric}"]) for row in rows] for metric in metrics}
    means = {metric: mean_where_input_has_one(pairs) for metric, pairs in of_both.items()}
    return Scores(name, kind, means, changed_share(rows))


def mean_where_input_has_one(pairs: Sequence[tuple[float, float]]) -> float:
    """Average over the pairs on which the input has a value (PESQ of silence does not exist): in a table the same for all rows.

    Args:
        pairs: the value of a row, and that of the input.

    Returns:
        NaN if the row lacks a value on one of them, or the input has none: who fails on hard pairs is not judged by the others.
    """
    values = [value for value, of_input in pairs if not math.isnan(of_input)]
    return sum(values) / len(values) if values else math.nan


def restore_example(module: RestorationModule, pairs: Dataset[dict[str, Any]], index: int) -> Example:
    """Restore a test pair to listen to.

    Args:
        module: the method.
        pairs: test pairs {"clean": (C, T), "corrupted": (C, T), "index"}.
        index: position in `pairs`.
    """
    module.eval()
    pair = pairs[index]
    clean, corrupted = pair["clean"][None].to(module.device), pair["corrupted"][None].to(module.device)
    with torch.no_grad():
        restored = module.restore_pair(corrupted, clean)
    return Example(index, corrupted[0].cpu(), restored[0].cpu(), clean[0].cpu())


def evenly_spaced(total: int, count: int) -> list[int]:
    """Return up to `count` positions spread evenly over `total`.

    >>> evenly_spaced(10, 4)
    [0, 2, 5, 7]
    """
    count = min(total, count)
    return [position * total // count for position in range(count)]
