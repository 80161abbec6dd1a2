"""Keep apart what models of hearing, or classifiers, were asked in different ways: such values cannot share a column."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from lightning_modules.metrics.registry import Occasion, computed_in
from lightning_modules.runs.printing import short
from sweeps.report.runs import ReportedRun

Value = TypeVar("Value")


def asked_alike(runs: Sequence[ReportedRun]) -> tuple[list[ReportedRun], list[str]]:
    """Return runs without metrics that were asked of others in some than in the rest.

    Perceptual metrics are about a number of pairs and a kind of signals, distances of features about a classifier.

    Args:
        runs: with the same test pairs.

    Returns:
        The runs, and a sentence for each kind of values that was left out.
    """
    kept, notes = list(runs), []
    asked_of: dict[Occasion, Callable[[ReportedRun], str | None]] = {"perceptual": _panel, "features": _judge}
    for occasion, asked in asked_of.items():
        ways = {way for run in kept if (way := asked(run)) is not None}
        if len(ways) > 1:
            names = [name for name in computed_in(occasion) if any(name in row for run in kept for row in _rows(run).values())]
            notes.append(f"{', '.join(names)} left out: {'; '.join(sorted(ways))} cannot be compared")
            kept = [_without(run, computed_in(occasion)) for run in kept]
    return kept, notes


def _panel(run: ReportedRun) -> str | None:
    told = run.result.get("perceptual")
    return short(f"{told.get('pairs')} pairs heard as {told.get('kind')}") if isinstance(told, Mapping) else None


def _judge(run: ReportedRun) -> str | None:
    told = run.result.get("deep_features")
    return None if told is None else short(f"features of the classifier {told}")


def _rows(run: ReportedRun) -> Mapping[str, Mapping[str, object]]:
    rows: Mapping[str, Mapping[str, object]] = run.result["methods"]
    return rows


def _without(run: ReportedRun, left_out: Sequence[str]) -> ReportedRun:
    rows = {name: _but(left_out, row) for name, row in _rows(run).items()}
    restored, corrupted = (_but(left_out, scores) for scores in (run.pairs.restored, run.pairs.corrupted))
    pairs = replace(run.pairs, restored=restored, corrupted=corrupted)
    return replace(run, result={**run.result, "methods": rows}, pairs=pairs)


def _but(left_out: Sequence[str], named: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in named.items() if name not in left_out}
