"""Controls: what a method has to beat, and which of them a table shows; the one rule of every table, here and in reports.

A control needs no training: the untouched input, and every blind classical method that does something for the corruption.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from lightning_modules.metrics.registry import METRICS

LEAST_CHANGED_SHARE = 0.1
"""A method that changes a smaller share of the pairs does nothing for the corruption."""


class Scored(Protocol):
    """A row of a table: its means by metric, and the share of the test pairs that the method changes."""

    @property
    def label(self) -> str:
        """What the table calls it."""

    @property
    def kind(self) -> str:
        """Corrupted, classical, oracle or learned."""

    @property
    def means(self) -> Mapping[str, float]:
        """NaN where there is none."""

    @property
    def changed_share(self) -> float:
        """From 0 to 1."""


S = TypeVar("S", bound=Scored)


@dataclass(frozen=True)
class LeftOut:
    """A row that a table does not show, and why."""

    label: str
    reason: str


def is_better(metric: str, value: float, other: float) -> bool:
    """Say whether `value` is strictly better than `other` in this metric, to the decimals that a table shows.

    >>> is_better("lsd", 1.23, 1.24), is_better("lsd", 1.231, 1.234), is_better("snr_db", 1.23, 1.24)
    (True, False, False)
    """
    info = METRICS[metric]
    shown, against = round(value, info.decimals), round(other, info.decimals)
    return shown > against if info.higher_is_better else shown < against


def changed_share(rows: Sequence[Mapping[str, float]]) -> float:
    """Return the share of the test pairs that a method changes: in some metric by one in its last decimal.

    Args:
        rows: per pair every metric of the restored and (`corrupted_...`) of the corrupted signal; at least one.

    >>> changed_share([{"lsd": 1.0, "corrupted_lsd": 1.5}, {"lsd": 1.5, "corrupted_lsd": 1.5}])
    0.5
    """
    return sum(map(_is_changed, rows)) / len(rows)


def _is_changed(row: Mapping[str, float]) -> bool:
    known = [name for name in METRICS if f"corrupted_{name}" in row]
    return any(abs(row[name] - row[f"corrupted_{name}"]) >= 10 ** -METRICS[name].decimals for name in known)


def is_control(row: Scored) -> bool:
    """Say whether a row is the input or a blind classical method that does something."""
    return row.kind == "corrupted" or (row.kind == "classical" and row.changed_share >= LEAST_CHANGED_SHARE)


def best_control(rows: Iterable[S], metric: str) -> S | None:
    """Return the best control in a metric, the first of those that a table cannot tell apart; None if none has a value there."""
    known = _known_controls(rows, metric)
    if not known:
        return None
    best = (max if METRICS[metric].higher_is_better else min)(row.means[metric] for row in known)
    return next(row for row in known if not is_better(metric, best, row.means[metric]))


def _known_controls(rows: Iterable[S], metric: str) -> list[S]:
    return [row for row in rows if is_control(row) and not math.isnan(row.means.get(metric, math.nan))]


def beats_controls(row: Scored, rows: Iterable[Scored], metric: str) -> bool:
    """Say whether a row is better in a metric than every control among `rows` but itself, of which there is at least one."""
    rivals = _known_controls((other for other in rows if other is not row), metric)
    value = row.means.get(metric, math.nan)
    return bool(rivals) and all(is_better(metric, value, rival.means[metric]) for rival in rivals)


def margin(row: Scored, rows: Iterable[Scored], metric: str) -> float:
    """Return by how much a row is better in a metric than the best control among `rows` but itself; NaN if one has no value."""
    rival = best_control([other for other in rows if other is not row], metric)
    if rival is None:
        return math.nan
    return METRICS[metric].sign * (row.means.get(metric, math.nan) - rival.means[metric])


def choose_rows(rows: Sequence[S], named: Collection[str] = ()) -> tuple[list[S], list[LeftOut]]:
    """Choose what a table shows: of the classical rows those that are the best control in at least one metric.

    Args:
        rows: the input first.
        named: labels of classical rows that are shown in any case, as the user asked for them.

    Returns:
        The rows to show, and those left out.
    """
    best = {row.label for metric in METRICS if (row := best_control(rows, metric)) is not None}
    fit = [row.kind != "classical" or row.label in best or row.label in named for row in rows]
    left_out = [LeftOut(row.label, _reason(row)) for row, fits in zip(rows, fit, strict=True) if not fits]
    return [row for row, fits in zip(rows, fit, strict=True) if fits], left_out


def _reason(row: Scored) -> str:
    if not is_control(row):
        return f"less than {LEAST_CHANGED_SHARE:.0%} of the pairs changed"
    return "no column's best control"


def left_out_line(left_out: Sequence[LeftOut]) -> str:
    """Say in a line which rows a table does not show, and why; nothing if it shows all.

    >>> left_out_line([LeftOut("sinc", "idle"), LeftOut("wiener", "worse"), LeftOut("cubic_spline", "idle")])
    'left out: sinc, cubic_spline (idle); wiener (worse)'
    """
    reasons = dict.fromkeys(row.reason for row in left_out)
    groups = (f"{', '.join(row.label for row in left_out if row.reason == reason)} ({reason})" for reason in reasons)
    return f"left out: {'; '.join(groups)}" if left_out else ""


def enumerated(names: Sequence[str]) -> str:
    """Join names for a sentence.

    >>> enumerated(["a", "b", "c"]), enumerated(["a", "b"]), enumerated(["a"])
    ('a, b and c', 'a and b', 'a')
    """
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def won_by_controls(method: Scored, rows: Iterable[S], metrics: Iterable[str]) -> dict[str, list[str]]:
    """Return by the label of a control the metrics in which it is the best and a method does not beat it.

    Args:
        method: in question.
        rows: among them the controls; the method itself is none.
        metrics: to look at; those that the method has no value in are passed over.
    """
    others, found = [row for row in rows if row is not method], dict[str, list[str]]()
    for metric in metrics:
        rival, value = best_control(others, metric), method.means.get(metric, math.nan)
        if rival is not None and not math.isnan(value) and not beats_controls(method, others, metric):
            found.setdefault(rival.label, []).append(metric)
    return found
