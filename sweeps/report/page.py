"""The page: everything that its charts, its player and its blind test need, as one JSON text, and the templates around it."""

import json
import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.json_file import write_whole
from sweeps.report.bootstrap import Interval
from sweeps.report.clips import ANCHOR, CLEAN, Example, all_clips, rounded_gain, total_characters
from sweeps.report.conditions import signed
from sweeps.report.history import Curve
from sweeps.report.keys import run_settings, short_keys, swept_keys, telling_keys
from sweeps.report.leaderboard import COMPUTE, COMPUTE_WORDS, Leaderboard, words
from sweeps.report.methods import Method, is_fact, mean
from sweeps.report.runs import ReportedRun
from sweeps.report.tables import number

INLINE_CHARACTERS = 6_000_000
"""Sounds up to this size in all become part of the page; more of them lie beside it and are loaded when they are played."""
SOUND = ("clips", "player")
CHARTS = ("charts", "intervals", "parallel", "heatmap", "curves", "pareto")
SCRIPTS = {
    "index.html": ("dom", *CHARTS, "table", *SOUND, "spectrogram", "listening", "refresh"),
    "blind.html": ("dom", *SOUND, "mushra", "abx", "blind"),
}
STYLES = ("page", "board", "desk")


def page_data(
    table: Leaderboard,
    runs: Sequence[ReportedRun],
    examples: Sequence[Example],
    facts: Mapping[str, Any],
    curves: Mapping[Path, Mapping[str, Curve]],
) -> dict[str, Any]:
    """Collect what the scripts of both pages read.

    Args:
        table: the leaderboard.
        runs: those of its rows.
        examples: what can be heard.
        facts: about the test pairs.
        curves: of each run by its folder, as `read_curves` gives them.
    """
    told = telling_keys(runs)
    swept = [key for key in swept_keys(runs) if key != "seed"]  # which is repeated, not searched
    keys = sorted(swept, key=lambda key: (key != "model", key not in told))  # after the model those in the names
    rows_of = {run.folder: method.id for method in table.methods for run in method.runs}
    return {
        **facts,
        "main": table.main,
        "metrics": [{"name": name, "words": words(name), "higher": METRICS[name].higher_is_better} for name in table.metrics],
        "leastSpans": {name: metric.least_span for name, metric in METRICS.items()},
        "words": {name: words(name) for name in (*METRICS, *COMPUTE_WORDS)},
        "compute": table.compute,
        "rows": [_row(table, method) for method in table.methods],
        "runs": [_run(run, rows_of[run.folder], keys, curves[run.folder]) for run in runs],
        "keys": [{"key": key, "short": short} for key, short in short_keys(keys).items()],
        "examples": [_example(example, table) for example in examples],
    }


def _row(table: Leaderboard, method: Method) -> dict[str, Any]:
    cells = table.cells[method.id]
    return {
        "id": method.id,
        "label": method.label,
        "kind": method.kind,
        "seeds": len(method.runs),
        "means": {name: rounded(cell.mean) for name, cell in cells.items()},
        "toInput": {name: _bounds(cell.to_input) for name, cell in cells.items() if cell.to_input is not None},
        "compute": {name: rounded(method.fact(name)) for name in table.compute},
    }


def _bounds(interval: Interval) -> list[float | None]:
    return [rounded(value) for value in (interval.mean, interval.low, interval.high)]


def _run(run: ReportedRun, row: str, keys: Sequence[str], curves: Mapping[str, Curve]) -> dict[str, Any]:
    values = run_settings(run)
    shown = {name: curve for name, curve in curves.items() if not name.startswith("val/corrupted_")}
    return {
        "name": run.name,
        "row": row,
        "seed": run.seed,
        "status": run.result.get("status", "finished"),
        "settings": {key: values.get(key) for key in keys},
        "means": {name: rounded(mean(scores)) for name, scores in run.pairs.restored.items()},
        "compute": {name: run.result[name] for name in COMPUTE if is_fact(run.result.get(name))},
        "curves": {name: [[step, rounded(value)] for step, value in curve] for name, curve in shown.items()},
    }


def _example(example: Example, table: Leaderboard) -> dict[str, Any]:
    order = ["corrupted", *(method.id for method in table.methods if method.id in example.clips), CLEAN, ANCHOR]
    clean = example.clips[CLEAN]
    return {
        "index": example.index,
        "file": example.file,
        "seconds": clean.seconds,
        "rate": clean.rate_hz,
        "versions": [_version(name, example, table) for name in dict.fromkeys(order)],
    }


def _version(name: str, example: Example, table: Leaderboard) -> dict[str, Any]:
    method = next((method for method in table.methods if method.id == name), None)
    tested = next(method for method in table.methods if method.runs).runs[0].pairs.index
    known = method is not None and example.index in tested  # a run may test fewer pairs than it gives examples of
    heard = {key: values[0] for key, values in method.pairs.items()} if method and known else {}  # the first seed's
    scores = {key: values[tested.index(example.index)] for key, values in heard.items()}
    return {
        "id": name,
        "clip": example.clips[name].name,
        "gain": rounded_gain(example.gains_db[name]),
        "scores": {key: rounded(float(value)) for key, value in scores.items()},
    }


def rounded(value: float) -> float | None:
    """Return a number with the five digits that a page shows at most; None for what is not one.

    >>> rounded(3.14159265), rounded(float("nan"))
    (3.1416, None)
    """
    return float(f"{value:.5g}") if math.isfinite(value) else None


def write_page(folder: Path, data: dict[str, Any], context: Mapping[str, Any], examples: Sequence[Example]) -> None:
    """Write index.html, blind.html and, if they are large, the sounds beside them.

    Args:
        folder: exists.
        data: from `page_data`.
        context: what else the templates show.
        examples: what can be heard.
    """
    inline = total_characters(examples) <= INLINE_CHARACTERS
    clips = all_clips(examples)
    _write_sounds(folder / "audio", {} if inline else {name: clip.content for name, clip in clips.items()})
    loader = PackageLoader("sweeps.report")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["number"] = number
    environment.filters["words"] = words
    environment.filters["signed"] = signed
    for name, scripts in SCRIPTS.items():
        page = environment.get_template(f"{name}.j2").render(
            data=data,
            json=_script_json(data if name == "index.html" else data | {"runs": []}),
            style=Markup("".join(_static(f"{style}.css") for style in STYLES)),
            scripts=[Markup(_static(f"{script}.js")) for script in scripts],
            clips={name: clip.content for name, clip in clips.items()} if inline else {},
            refresh_mark=refresh_mark,
            secondary=[info.name for info in METRICS.values() if info.on_demand],
            **context,
        )
        write_whole(folder / name, page)


def refresh_mark(seconds: float) -> Markup:
    """Return what a page has in its head by which it loads itself anew."""
    return Markup(f'<meta name="clarion-refresh" content="{seconds:g}">')


def stop_refreshing(page: Path, seconds: float) -> None:
    """Have a page stay as it is from now on; nothing happens where there is none."""
    if page.is_file():
        write_whole(page, page.read_text(encoding="utf-8").replace(refresh_mark(seconds), ""))


def _write_sounds(folder: Path, contents: Mapping[str, str]) -> None:
    """Write a script per sound, which a page opened from a disk may load where it may not read a file; drop those of old."""
    for path in folder.glob("[0-9a-f]" * 12 + ".js"):
        if path.stem not in contents:
            path.unlink()
    for name, content in contents.items():
        folder.mkdir(exist_ok=True)
        write_whole(folder / f"{name}.js", f'clarionClip("{name}","{content}");\n')


def _script_json(data: Mapping[str, Any]) -> Markup:
    """Write JSON that cannot end the script element it stands in."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _static(name: str) -> str:
    return (files("sweeps.report") / "static" / name).read_text(encoding="utf-8")
