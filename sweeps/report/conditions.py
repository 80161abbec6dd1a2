"""Conditions that a run was evaluated in apart: a table with a row for each, the worst first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import beats_controls, best_control, is_better, margin
from lightning_modules.runs.damage import DamagedFileError, check_entries, is_text, read_json
from machine.console import printable
from sweeps.report.checks import is_table
from sweeps.report.methods import Method, listed_row
from sweeps.report.runs import ReportedRun
from sweeps.report.tables import escaped, markdown_line, number

FILE = "conditions.json"
MOST = 1000
"""Conditions of a run that are read."""
MARKS = {True: "seen", False: "unseen", None: "–"}


@dataclass(frozen=True)
class ConditionRow:
    """A condition: its values, whether the training heard it, and in the metric of the grid what everyone scored.

    Attributes:
        label: the values, with units.
        seen: seen, unseen, or – where that is not known.
        source: of the untouched input.
        control: name of the best control.
        of_control: what it scored.
        value: of the method.
        margin: by which the method is better than the best control.
        best: whether it beats all controls.
        below: whether it is worse than the input.
    """

    label: str
    seen: str
    source: float
    control: str
    of_control: float
    value: float
    margin: float
    best: bool
    below: bool


@dataclass(frozen=True)
class Grid:
    """The conditions of a run, the worst first, in one metric; `failed` are sentences about those without scores."""

    run: str
    metric: str
    rows: list[ConditionRow]
    failed: list[str]


def read_grids(runs: Sequence[ReportedRun], problems: list[str]) -> list[Grid]:
    """Read the conditions of those runs that have some; what is damaged is told in `problems`."""
    grids = []
    for run in runs:
        path = run.folder / FILE
        try:
            if path.exists():
                grids.append(_grid(run.name, path))
        except DamagedFileError as error:
            problems.append(str(error).replace(printable(run.folder), run.name))
    return grids


def _grid(name: str, path: Path) -> Grid:
    content = read_json(path)
    metric = str(content.get("monitor")).split("/")[-1]
    known = {
        "method": is_text,
        "monitor": lambda _: metric in METRICS,
        "conditions": lambda value: isinstance(value, list) and len(value) <= MOST and all(map(_is_condition, value)),
    }
    check_entries(path, content, known)
    told = content["conditions"]
    rows = [_row(condition, content["method"], metric) for condition in told if "failure" not in condition]
    if None in rows:
        raise DamagedFileError(f"{printable(path)} is damaged: a condition has no row of {printable(content['method'])}")
    ordered = sorted(filter(None, rows), key=lambda row: math.inf if math.isnan(row.margin) else row.margin)
    failed = [printable(str(condition["failure"])) for condition in told if "failure" in condition]
    return Grid(name, metric, ordered, failed)


def _is_condition(value: object) -> bool:
    if not isinstance(value, Mapping) or not is_text(value.get("label")) or value.get("seen") not in (True, False, None):
        return False
    return "failure" in value or is_table(value.get("methods"))


def _row(condition: Mapping[str, Any], method: str, metric: str) -> ConditionRow | None:
    methods = [listed_row(printable(name), scores) for name, scores in condition["methods"].items() if "failure" not in scores]
    own = next((row for row in methods if row.id == printable(method)), None)
    if own is None:
        return None
    source, control = (_of_kind(methods, "corrupted"), best_control([row for row in methods if row is not own], metric))
    value, of_input = own.means.get(metric, math.nan), math.nan if source is None else source.means.get(metric, math.nan)
    return ConditionRow(
        label=printable(condition["label"]),
        seen=MARKS[condition["seen"]],
        source=of_input,
        control="" if control is None else control.label,
        of_control=math.nan if control is None else control.means[metric],
        value=value,
        margin=margin(own, methods, metric),
        best=own.kind not in ("classical", "oracle") and beats_controls(own, methods, metric),
        below=is_better(metric, of_input, value) if not math.isnan(value + of_input) else False,
    )


def _of_kind(rows: Sequence[Method], kind: str) -> Method | None:
    return next((row for row in rows if row.kind == kind), None)


def signed(value: float) -> str:
    """Write a difference with its sign; nothing for NaN.

    >>> signed(1.234), signed(-0.5), signed(float("nan"))
    ('+1.23', '-0.50', '')
    """
    return "" if math.isnan(value) else f"{value:+.2f}"


def grids_text(grids: Sequence[Grid]) -> str:
    """Write the grids as Markdown."""
    return "".join(map(_text, grids))


def _text(grid: Grid) -> str:
    metric = METRICS[grid.metric]
    title = f"Conditions of {escaped(grid.run)}, the worst first: {escaped(metric.words)} {metric.arrow}"
    head = ["condition", "in training", "input", "best control", "of it", "method", "better than the best control by"]
    lines = ["", title, "", markdown_line(head), markdown_line(["---"] * len(head))]
    for row in grid.rows:
        value = f"**{number(row.value)}**" if row.best else f"{number(row.value)}{' ▼' if row.below else ''}"
        cells = [escaped(row.label), row.seen, number(row.source), escaped(row.control), number(row.of_control), value]
        lines.append(markdown_line([*cells, signed(row.margin)]))
    return "\n".join([*lines, *(f"\n- {escaped(sentence)}" for sentence in grid.failed)]) + "\n"
