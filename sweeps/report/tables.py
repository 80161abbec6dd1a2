"""Write the leaderboard as Markdown and as CSV."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence

from lightning_modules.metrics.registry import METRICS
from machine.console import printable
from sweeps.report.bootstrap import Interval
from sweeps.report.leaderboard import BELOW, CONTROL, MAYBE_BELOW, TIED, Cell, Leaderboard, words
from sweeps.report.methods import Method

LEGEND = (
    f"**bold**: best of the column and better than every control; {CONTROL}: best control of the column, that is the input or a "
    f"classical method that changes the pairs; {TIED}: not established to be worse than the best of the column; {BELOW}: worse "
    f"than the input; {MAYBE_BELOW}: worse than the input, but not established. Established: the 95 % paired bootstrap interval "
    "over test recordings and seeds excludes zero. ±: sample standard deviation over seeds. Oracles are bounds, not competitors."
)


def number(value: float, name: str = "") -> str:
    """Write a number with the digits that matter; nothing for NaN."""
    if math.isnan(value):
        return ""
    if name == "params":
        return f"{value:,.0f}"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.{2 if abs(value) >= 1 else 3}f}"


def to_markdown(table: Leaderboard, extra: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Write the table, and below it the differences to the input, as GitHub's Markdown.

    Args:
        table: the leaderboard.
        extra: further columns: by title, the text by row id.
    """
    extra = extra or {}
    arrows = [_heading(name) for name in table.metrics]
    lines = [markdown_line(["method", "seeds", *arrows, *extra, *(f"{words(name)} ↓" for name in table.compute)])]
    lines.append(markdown_line(["---"] * (2 + len(arrows) + len(extra) + len(table.compute))))
    for method in table.methods:
        cells = [_markdown_cell(table.cells[method.id].get(name)) for name in table.metrics]
        compute = [number(method.fact(name), name) for name in table.compute]
        listening = [column.get(method.id, "") for column in extra.values()]
        lines.append(markdown_line([escaped(method.label), str(len(method.runs) or ""), *cells, *listening, *compute]))
    return "\n".join([*lines, "", LEGEND, "", *_intervals(table, arrows)]) + "\n"


def _heading(metric: str) -> str:
    return f"{escaped(words(metric))} {METRICS[metric].arrow}"


def _intervals(table: Leaderboard, arrows: Sequence[str]) -> list[str]:
    lines = [
        "Difference to the input, with its 95 % interval:",
        "",
        markdown_line(["method", *arrows]),
        markdown_line(["---"] * (1 + len(arrows))),
    ]
    for method in table.methods:
        cells = table.cells[method.id]
        texts = [_interval(cells[name].to_input) if name in cells else "" for name in table.metrics]
        if any(texts):
            lines.append(markdown_line([escaped(method.label), *texts]))
    return lines


def _interval(interval: Interval | None) -> str:
    return "" if interval is None else f"{interval.mean:+.2f} [{interval.low:+.2f}, {interval.high:+.2f}]"


def _markdown_cell(cell: Cell | None) -> str:
    if cell is None or math.isnan(cell.mean):
        return ""
    value = f"**{number(cell.mean)}**" if cell.best else number(cell.mean)
    spread = "" if math.isnan(cell.deviation) else f" ±{number(cell.deviation)}"
    return f"{value}{spread}{' ' + cell.marks if cell.marks else ''}"


def markdown_line(cells: Sequence[str]) -> str:
    """Write a line of a table."""
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    r"""Write a name so that Markdown shows it as it is: no cell ends, and no link, emphasis, code or element begins.

    >>> print(escaped("a|b](c) `x` <img>"))
    a\|b\](c) \`x\` &lt;img>
    """
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])|^[#>+-])", r"\\\1", plain)


def cell_text(text: str) -> str:
    """Write a text for a cell of CSV so that no spreadsheet takes it for a formula: an apostrophe says that it is none.

    >>> cell_text("=1+1"), cell_text("unet lr=0.1"), cell_text("-3.5")
    ("'=1+1", 'unet lr=0.1', "'-3.5")
    """
    plain = printable(text)
    return f"'{plain}" if text.lstrip()[:1] in ("=", "+", "-", "@") or text[:1] in ("\t", "\r", "\n") else plain


def to_csv(table: Leaderboard, extra: Mapping[str, Mapping[str, str]] | None = None) -> str:
    """Write every number of the table in full, a line per method."""
    file = io.StringIO()
    rows = [_csv_row(table, method, extra or {}) for method in table.methods]
    writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _csv_row(table: Leaderboard, method: Method, extra: Mapping[str, Mapping[str, str]]) -> dict[str, object]:
    row: dict[str, object] = {"method": cell_text(method.label), "kind": cell_text(method.kind), "seeds": len(method.runs)}
    for name, cell in table.cells[method.id].items():
        row |= {name: _plain(cell.mean), f"{name}_deviation": _plain(cell.deviation), f"{name}_marks": _words(cell)}
        row |= {f"{name}_to_input_{key}": _plain(value) for key, value in _bounds(cell.to_input).items()}
        row |= {f"{name}_to_best_{key}": _plain(value) for key, value in _bounds(cell.to_best).items()}
    row |= {cell_text(title): cell_text(column.get(method.id, "")) for title, column in extra.items()}
    return row | {name: _plain(method.fact(name)) for name in table.compute}


def _bounds(interval: Interval | None) -> dict[str, float]:
    return {} if interval is None else {"mean": interval.mean, "low": interval.low, "high": interval.high}


def _words(cell: Cell) -> str:
    below = {BELOW: "below input", MAYBE_BELOW: "perhaps below input"}.get(cell.below, "")
    return "; ".join(
        filter(
            None,
            ["best" if cell.best else "", "best control" if cell.control else "", "tied with best" if cell.tied else "", below],
        )
    )


def _plain(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6g}"


def ranking(table: Leaderboard) -> str:
    """Return the main metric of every row as plain text, for a terminal."""
    width = max(len(method.label) for method in table.methods)
    lines = [f"{'method':{width}}  {_heading(table.main)}"]
    for method in table.methods:
        cell = table.cells[method.id].get(table.main)
        interval = f"  to input {_interval(cell.to_input)}" if cell and cell.to_input else ""
        lines.append(f"{method.label:{width}}  {_markdown_cell(cell).replace('**', '')}{interval}")
    return "\n".join(lines)
