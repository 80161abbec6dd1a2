"""The table of all methods, marked so that neither noise nor a worse-than-input value passes for a win."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import beats_controls, best_control, enumerated
from sweeps.report.bootstrap import Interval, Resampling
from sweeps.report.methods import CORRUPTED, Method

BELOW, MAYBE_BELOW, TIED, CONTROL = "▼", "▽", "≈", "•"
COMPUTE_WORDS = {
    "params": "parameters",
    "training_seconds": "training time (s)",
    "real_time_factor": "real-time factor",
    "gpu_memory_mb": "GPU memory (MB)",
}
"""What the columns of a run's cost are called."""
COMPUTE = tuple(COMPUTE_WORDS)


def words(name: str) -> str:
    """Return what a column is called, with the unit of its numbers.

    >>> words("snr_db"), words("training_seconds")
    ('signal-to-noise ratio (dB)', 'training time (s)')
    """
    return COMPUTE_WORDS[name] if name in COMPUTE_WORDS else METRICS[name].words


@dataclass(frozen=True)
class Cell:
    """One metric of one method; the intervals are of the paired difference to the input and to the column's best row.

    `best` is the best row of the column if it is no control and beats all of them; `control` the best of these.
    """

    mean: float
    deviation: float
    to_input: Interval | None
    to_best: Interval | None
    best: bool
    control: bool
    below: str

    @property
    def tied(self) -> bool:
        """Whether the row is not the best, but not established to be worse either."""
        return self.to_best is not None and not self.to_best.excludes_zero

    @property
    def marks(self) -> str:
        """The signs behind the number."""
        return (CONTROL if self.control else "") + (TIED if self.tied else "") + self.below


@dataclass(frozen=True)
class Leaderboard:
    """The rows in the order of the main metric, and their cells by row id and metric."""

    methods: list[Method]
    metrics: list[str]
    main: str
    cells: Mapping[str, Mapping[str, Cell]]

    @cached_property  # asked for each row, and looks at all of them
    def compute(self) -> list[str]:
        """The columns of COMPUTE that at least one run recorded."""
        return [name for name in COMPUTE if any(not math.isnan(method.fact(name)) for method in self.methods)]

    @property
    def controls(self) -> str:
        """Which control is the best in which columns."""
        found: dict[str, list[str]] = {}
        for name in self.metrics:
            for method in self.methods:
                if name in self.cells[method.id] and self.cells[method.id][name].control:
                    found.setdefault(method.label, []).append(words(name))
        return "; ".join(f"{control} in {enumerated(names)}" for control, names in found.items())


def build_leaderboard(
    methods: Sequence[Method], recordings: Sequence[str], main: str, generator: np.random.Generator
) -> Leaderboard:
    """Compare all rows in all metrics.

    Args:
        methods: the rows, among them the corrupted input.
        recordings: the recording of each test pair.
        main: metric to order by.
        generator: draws the resampled test sets, the same for all rows.
    """
    metrics = [name for name in METRICS if any(name in method.means for method in methods)]
    metrics.sort(key=lambda name: name != main)
    resampling = Resampling(recordings, {method.id: max(1, len(method.runs)) for method in methods}, generator)
    columns = {name: _column(methods, name, resampling) for name in metrics}
    cells = {method.id: {name: columns[name][method.id] for name in metrics if name in method.means} for method in methods}
    return Leaderboard(_ranked(methods, main), metrics, main, cells)


def _ranked(methods: Sequence[Method], metric: str) -> list[Method]:
    sign = -METRICS[metric].sign
    return sorted(methods, key=lambda row: (row.kind != CORRUPTED, _last_if_nan(sign * row.means.get(metric, math.nan))))


def _last_if_nan(value: float) -> float:
    return math.inf if math.isnan(value) else value


def _column(methods: Sequence[Method], metric: str, resampling: Resampling) -> dict[str, Cell]:
    rows = [method for method in methods if metric in method.means]
    sign = -METRICS[metric].sign
    best = min((row for row in rows if row.kind != "oracle"), key=lambda row: _last_if_nan(sign * row.means[metric]))
    source = next((row for row in rows if row.kind == CORRUPTED), None)
    control = best_control(rows, metric)
    to_input, to_best = (_differences(rows, other, metric, resampling) for other in (source, best))
    cells = {row.id: _cell(row, source, metric, to_input.get(row.id), to_best.get(row.id)) for row in rows}
    won = best.kind not in (CORRUPTED, "classical") and beats_controls(best, rows, metric)
    cells[best.id] = replace(cells[best.id], best=won)
    return cells if control is None else cells | {control.id: replace(cells[control.id], control=True)}


def _cell(row: Method, source: Method | None, metric: str, to_input: Interval | None, to_best: Interval | None) -> Cell:
    return Cell(
        mean=row.means[metric],
        deviation=row.deviations.get(metric, math.nan),
        to_input=to_input,
        to_best=to_best,
        best=False,
        control=False,
        below=_below(row, source, metric, to_input),
    )


def _differences(rows: Sequence[Method], other: Method | None, metric: str, resampling: Resampling) -> dict[str, Interval]:
    """Return by id what tells rows from another one, of those that have values per pair."""
    if other is None or metric not in other.pairs:
        return {}
    compared = {row.id: row.pairs[metric] for row in rows if row is not other and metric in row.pairs}
    return resampling.intervals(compared, other.id, other.pairs[metric])


def _below(row: Method, source: Method | None, metric: str, to_input: Interval | None) -> str:
    """Mark a mean that is worse than the input's; a row without values per pair is taken at its mean."""
    if source is None or row is source:
        return ""
    gain = (row.means[metric] - source.means[metric]) * METRICS[metric].sign
    if not gain < 0:
        return ""
    return BELOW if to_input is None or to_input.excludes_zero else MAYBE_BELOW
