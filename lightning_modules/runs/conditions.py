"""One method in several conditions, apart: a full evaluation of the same recordings in each, and a table with a row for each."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.progress import name_method
from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import best_control, margin
from lightning_modules.runs.end import Bench, baseline_row, described
from lightning_modules.runs.evaluation import Scores, kind_of, mean_scores, score_pairs
from lightning_modules.runs.headings import Heading
from lightning_modules.runs.json_file import write_json
from lightning_modules.runs.parts import KeptResult
from lightning_modules.runs.table import BEATS_CONTROLS, BELOW_INPUT, BEST_CONTROL, cell, verdict

FILE = "conditions.json"
MARKS = f"{BEST_CONTROL} best control, {BEATS_CONTROLS} better than it, {BELOW_INPUT} worse than the input"
TITLE = f"conditions, the worst first ({MARKS})"


@dataclass(frozen=True)
class Case:
    """A condition to evaluate in.

    Attributes:
        label: its values in a line.
        values: by the key of the corruption.
        seen: whether the training heard it; None where there was none, or it is not known.
        open_data: opens the test pairs, which then stand in place of the other ones.
    """

    label: str
    values: Mapping[str, Any]
    seen: bool | None
    open_data: Callable[[], Any]


def end_conditions(
    name: str,
    module: RestorationModule,
    cases: Sequence[Case],
    bench: Bench,
    baselines: Mapping[str, RestorationModule],
    monitor: str,
    known: Mapping[str, Mapping[str, Any]],
) -> KeptResult:
    """Evaluate a method in every condition, write conditions.json after each, and show the table.

    A condition that fails costs its row; a signal leaves the conditions to come out, and keeps those that are finished.

    Args:
        name: of the method.
        module: the method.
        cases: the conditions.
        bench: what to work with.
        baselines: methods to compare with, by name.
        monitor: the metric of the verdicts, such as test/si_sdr_db.
        known: by label, results with the same methods of conditions that are not evaluated again.

    Returns:
        What conditions.json holds, and what went wrong.
    """
    metric, tables, before = monitor.split("/")[-1], dict[str, list[Scores]](), bench.stopper.received
    kept = KeptResult(
        bench.folder / FILE,
        {"method": name, "monitor": monitor, "conditions": []},
        lambda: bench.stopper.received != before or bench.stopper.overdue,
    )
    for case in cases:
        before_it = len(kept.problems)
        told = {"label": case.label, "values": dict(case.values), "seen": case.seen}
        found = kept.part(f"condition {case.label}", _rows_and_facts, name, module, case, bench, baselines, kept, known)
        if found is None:
            row = told | {"failure": kept.problems[before_it]}
        else:
            tables[case.label], facts = found
            row = told | facts | {"verdict": verdict(tables[case.label], metric)}
        kept.keep(conditions=[*kept.content["conditions"], row])
    kept.always("the table of conditions", show_conditions, cases, tables, metric)
    return kept


def _rows_and_facts(
    name: str,
    module: RestorationModule,
    case: Case,
    bench: Bench,
    baselines: Mapping[str, RestorationModule],
    kept: KeptResult,
    known: Mapping[str, Mapping[str, Any]],
) -> tuple[list[Scores], dict[str, Any]]:
    """Return the rows in a condition, the input first and the method last, and what conditions.json says of them."""
    others = {other: control for other, control in baselines.items() if other != name}
    if case.label in known:
        result = known[case.label]
        table, facts = rows_of(result, ["corrupted", *others, name]), {key: result[key] for key in ("manifest_hash", "pairs")}
    else:
        table, facts = _score(name, module, case, bench, others, kept)
    return table, facts | {"methods": {row.name: described(row) for row in table}}


def _score(
    name: str, module: RestorationModule, case: Case, bench: Bench, others: Mapping[str, RestorationModule], kept: KeptResult
) -> tuple[list[Scores], dict[str, Any]]:
    bench = replace(bench, data=case.open_data())
    name_method(bench.trainer, f"{name}, {case.label}")
    rows = score_pairs(module, bench.data, bench.trainer)
    controls = [baseline_row(other, control, bench, kept, f" in {case.label}") for other, control in others.items()]
    table = [mean_scores("corrupted", "corrupted", rows), *controls, mean_scores(name, kind_of(module), rows)]
    return table, {"manifest_hash": bench.data.manifest_hash, "pairs": len(rows)}


def rows_of(result: Mapping[str, Any], names: Sequence[str]) -> list[Scores]:
    """Return rows of a result, in what is measured on every pair; probes and models of hearing are left out.

    Args:
        result: as result.json holds it.
        names: of the rows.
    """
    of_pairs = [metric for metric, info in METRICS.items() if not info.is_of_method]
    rows = [(name, result["methods"][name]) for name in names]
    return [
        Scores(
            name, row["kind"], {metric: row[metric] for metric in of_pairs if metric in row},
            row.get("changed_share", 1.0), row.get("failure"),
        )
        for name, row in rows
    ]  # fmt: skip


def show_conditions(cases: Sequence[Case], tables: Mapping[str, Sequence[Scores]], metric: str) -> None:
    """Print a row for each condition in `metric`, the one in which the method is least above the best control first."""
    console = Console()
    console.print(f"{TITLE}: {METRICS[metric].heading}", style="italic", highlight=False)
    console.print(render_conditions(cases, tables, metric))


def render_conditions(cases: Sequence[Case], tables: Mapping[str, Sequence[Scores]], metric: str) -> Table:
    """Lay out the conditions for the terminal: the input, what is the best control in one of them, the method, its margin.

    Args:
        cases: the conditions.
        tables: by the label of a condition its rows, the input first and the method last; none of one that failed.
        metric: of all cells.
    """
    view = Table(box=None, padding=(0, 0, 0, 1))
    view.add_column("condition", overflow="fold")
    marked = any(case.seen is not None for case in cases)
    columns = _columns(list(tables.values()), metric)
    for title in [*(["training"] if marked else []), *columns, "margin"]:
        view.add_column(Heading(title), justify="right", overflow="fold")
    for case in sorted(cases, key=lambda case: _place(tables.get(case.label), metric)):
        mark = [{True: "seen", False: "unseen", None: "–"}[case.seen]] if marked else []
        view.add_row(escape(case.label), *mark, *_cells(tables.get(case.label), columns, metric))
    return view


def _columns(tables: Sequence[Sequence[Scores]], metric: str) -> list[str]:
    """Return the input, the controls that are the best somewhere, bounds, and the method."""
    rows = [row for table in tables for row in table]
    best = {control.name for table in tables if (control := best_control(table[:-1], metric)) is not None}
    best |= {row.name for row in rows if row.kind == "oracle"}
    ends = [row.name for table in tables for row in (table[0], table[-1])]
    return [name for name in dict.fromkeys(row.name for row in rows) if name in best | {*ends}]


def _cells(table: Sequence[Scores] | None, columns: Sequence[str], metric: str) -> list[str]:
    if table is None:
        return ["none  " for _ in columns] + ["failed"]
    rows = {row.name: row for row in table}
    ahead = margin(table[-1], table[:-1], metric)
    told = "–" if math.isnan(ahead) else f"{ahead:+.{METRICS[metric].decimals}f}"
    return [*(cell(rows[name], table, metric) for name in columns), told]


def _place(table: Sequence[Scores] | None, metric: str) -> float:
    ahead = math.inf if table is None else margin(table[-1], table[:-1], metric)
    return math.inf if math.isnan(ahead) else ahead


def with_conditions(result: Mapping[str, Any], kept: KeptResult, received: int | None, path: Path) -> dict[str, Any]:
    """Return a result with what went wrong in the conditions, which decides the exit code, and write it anew.

    Args:
        result: of the evaluation that the first condition is taken from.
        kept: from `end_conditions`.
        received: the signal that came meanwhile.
        path: of result.json.
    """
    whole = {} if kept.is_whole else {"status": "interrupted"}
    content = {**result, **whole, "signal": received, "problems": [*result["problems"], *kept.problems]}
    write_json(path, content)
    return content
