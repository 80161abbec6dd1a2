"""The table that a run ends with, on the screen, and its verdict; by the same rule as the tables of reports."""

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import (
    LeftOut,
    beats_controls,
    best_control,
    choose_rows,
    enumerated,
    is_better,
    left_out_line,
    won_by_controls,
)
from lightning_modules.runs.evaluation import Scores
from lightning_modules.runs.headings import Heading

BELOW_INPUT, BEST_CONTROL, BEATS_CONTROLS = "▼", "•", "✓"
TITLE = f"test pairs ({BEST_CONTROL} best control, {BEATS_CONTROLS} better than it, {BELOW_INPUT} worse than the input)"


def chosen(table: Sequence[Scores]) -> tuple[list[Scores], list[LeftOut]]:
    """Choose the rows to show, among them those that failed and the method in question, the last, whatever it is."""
    return choose_rows(table, named=[table[-1].name, *(row.name for row in table if row.failure)])


def render_table(table: Sequence[Scores], metric: str) -> Table:
    """Lay out the comparison for the terminal, a line per metric; only what beats every control in its line is bold.

    Metrics that reports show on demand are in result.json alone, but for that of the verdict.

    Args:
        table: corrupted first, the method in question last.
        metric: that the verdict is about.
    """
    view = Table(box=None, padding=(0, 0, 0, 1))
    view.add_column("metric", no_wrap=True)
    rows = chosen(table)[0]
    for row in rows:
        view.add_column(Heading(row.name), justify="right", overflow="fold")  # a method's steps stand at the end of its name
    for name in [name for name in table[-1].means if name == metric or not METRICS[name].on_demand]:
        view.add_row(METRICS[name].heading, *(cell(row, table, name) for row in rows))
    return view


def _always_shown(row: Scores) -> list[str]:
    return [name for name in row.means if not METRICS[name].on_demand]


def cell(row: Scores, table: Sequence[Scores], metric: str) -> str:
    """Write the value of a row in `metric` with its mark, as markup of the terminal; `table` is as of `render_table`."""
    if row.failure is not None:
        return "none  "
    value = row.means.get(metric, math.nan)
    if math.isnan(value):
        return "–  "
    text = f"{value:.{METRICS[metric].decimals}f}"
    if row is best_control(table[:-1], metric):
        return f"{text} {BEST_CONTROL}"
    competes = row is table[-1] or row.kind == "learned"
    if competes and row.kind != "oracle" and beats_controls(row, table, metric):
        return f"[bold]{text} {BEATS_CONTROLS}[/bold]"
    worse = row is not table[0] and is_better(metric, table[0].means.get(metric, math.nan), value)
    return f"{text} {BELOW_INPUT if worse else ' '}"


def verdict(table: Sequence[Scores], metric: str) -> str:
    """Say in one sentence whether the method beats the controls in `metric`, and in which other metrics a control is unbeaten.

    An oracle is a bound, and the same method after other numbers of steps no rival. Probes are left out: nothing does less harm
    than doing nothing.

    Args:
        table: corrupted first, the method in question last.
        metric: that the verdict is about.
    """
    method, others = table[-1], [row for row in chosen(table)[0][:-1] if row.kind in ("corrupted", "classical")]
    if method.kind == "oracle":
        return f"{method.name} is told the clean signal: its row bounds or reproduces, and restores nothing"
    rivals = [row for row in others if not math.isnan(row.means.get(metric, math.nan))]
    left = [row.name for row in rivals if not is_better(metric, method.means[metric], row.means[metric])]
    lost = won_by_controls(
        method, table, [name for name in _always_shown(method) if name != metric and not METRICS[name].is_probe]
    )
    unbeaten = "; ".join(f"{control} in {enumerated(metrics)}" for control, metrics in lost.items())
    names = enumerated(left or [row.name for row in rivals])
    told = f"✗ {method.name} does not beat {names} in {metric}" if left else f"✓ {method.name} beats {names} in {metric}"
    return f"{told} (unbeaten: {unbeaten})" if unbeaten else told


def show(table: Sequence[Scores], metric: str) -> None:
    """Print the table, which rows it leaves out or lacks and why, and the verdict in `metric`."""
    notes = [left_out_line(chosen(table)[1]), *(f"{row.name} has no scores: {row.failure}" for row in table if row.failure)]
    console = Console()
    console.print(TITLE, style="italic", highlight=False)
    console.print(render_table(table, metric))
    for line in [*filter(None, notes), verdict(table, metric)]:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
