"""The tables, with what has come to its end so far, and the verdict on each task."""

import math
from collections.abc import Mapping, Sequence

from benchmarks.modular_gan.jobs import evaluation, training
from benchmarks.modular_gan.rows import PUBLISHED, TABLES, TASKS, Table
from benchmarks.results_grid.jobs import Place, read
from benchmarks.results_grid.tables import ORDER, row_of
from benchmarks.results_tables import Row, cell
from lightning_modules.metrics.registry import METRICS

LF_LOSS_DB = 0.1
"""What super-resolution may cost below the cut-off."""
EXCERPT_METRIC = "lsd_bilat"


def lines_of(name: str, place: Place) -> list[str]:
    """Return the lines of a table; none without its controls."""
    table = TABLES[name]
    task = TASKS[table.task]
    columns = [rows_of(table, place, seconds) for seconds in table.excerpts or (0,)]
    if not all(columns):
        return []
    title = f"{task.title}: {table.title}" if table.title else task.title
    head = [f"## {title}", "", f"Input: `{task.corruption}`. Published: {PUBLISHED[table.task]}.", ""]
    if table.excerpts:
        body = _side_by_side([f"{seconds} s" for seconds in table.excerpts], columns)
    else:
        body = _metrics_of(task.metrics, columns[0], table, place)
    verdict = verdict_of(table.task, columns[0]) if not table.title else []
    return [*head, *body, "", *verdict, *([""] if verdict else [])]


def rows_of(table: Table, place: Place, seconds: int = 0) -> list[Row]:
    """Return the rows on the pairs of the controls, the input first; none without these."""
    found = read(evaluation(table.task, place, seconds=seconds).folder / "result.json")
    rows = [row_of("input" if label == "corrupted" else label, [scores]) for label, scores in found.get("methods", {}).items()]
    for label in table.learned:
        folders = [evaluation(table.task, place, label, seed, seconds).folder for seed in range(table.seeds)]
        results = [result for folder in folders if (result := read(folder / "result.json")).get("status") == "finished"]
        same = [result for result in results if result["manifest_hash"] == found.get("manifest_hash")]
        if same:
            rows.append(row_of(label, [list(result["methods"].values())[-1] for result in same]))
    return sorted((row for row in rows if row.seeds), key=lambda row: ORDER.index(row.kind))


def verdict_of(task: str, rows: Sequence[Row]) -> list[str]:
    """Say in sentences whether the best learned row holds what is asked of the task, and by how much.

    Args:
        task: its name.
        rows: on the same pairs, the input first.
    """
    by_label = {row.label: row.means for row in rows}
    learned = [row for row in rows if row.kind == "learned"]
    if not learned:
        return ["Verdict: no learned row yet."]
    metric = "lsd" if task == "piano_5_to_10khz" else "si_sdr_db"
    sign = 1 if METRICS[metric].higher_is_better else -1
    best = max(learned, key=lambda row: sign * row.means[metric])
    bars = {
        "piano_5_to_10khz": [("snr_lf_db", "input", LF_LOSS_DB), ("lsd", "noise_fill", 0.0), ("lsd_hf60", "noise_fill", 0.0)],
        "piano_denoise_10khz": [("si_sdr_db", "wiener", 0.0)],
        "piano_dereverb_10khz": [("si_sdr_db", "input", 0.0), ("si_sdr_db", "wpe", 0.0)],
    }[task]
    return [f"Verdict on {best.label}:", *(f"- {_held(best, by_label, *bar)}" for bar in bars)]


def _held(best: Row, by_label: Mapping[str, Mapping[str, float]], metric: str, rival: str, allowed: float) -> str:
    """Say whether a row is better than a rival in a metric, or, with something allowed, no worse by more than that."""
    bar = by_label.get(rival, {}).get(metric, math.nan)
    value = best.means.get(metric, math.nan)
    asked = f"{metric} within {allowed:g} of {rival}" if allowed else f"{metric} better than {rival}"
    if math.isnan(bar) or math.isnan(value):
        return f"{asked}: not known, {rival if math.isnan(bar) else best.label} has no value"
    lead = (value - bar) * (1 if METRICS[metric].higher_is_better else -1)
    held = lead >= -allowed if allowed else lead > 0
    return f"{asked}: {'held' if held else 'NOT held'} ({value:.2f} against {bar:.2f})"


def _metrics_of(metrics: Sequence[str], rows: Sequence[Row], table: Table, place: Place) -> list[str]:
    lines = [f"| method | {' | '.join(metrics)} | steps | core-seconds | seeds |", "|---" * (len(metrics) + 4) + "|"]
    for row in rows:
        cells = [_value(row, rows, metric) for metric in metrics]
        lines.append(f"| {' | '.join([row.label, *cells, *_cost(row, table, place)])} |")
    return lines


def _side_by_side(headings: Sequence[str], columns: Sequence[Sequence[Row]]) -> list[str]:
    lines = [f"| method | {' | '.join(headings)} |", "|---" * (len(headings) + 1) + "|"]
    for label in (row.label for row in columns[0]):
        found = [(next((row for row in rows if row.label == label), None), rows) for rows in columns]
        lines.append(f"| {label} | {' | '.join(_value(row, rows, EXCERPT_METRIC) if row else '–' for row, rows in found)} |")
    return lines


def _value(row: Row, rows: Sequence[Row], metric: str) -> str:
    known = [one for one in rows if metric in one.seeds and not math.isnan(one.means[metric])]
    return cell(row, known, metric) if row in known else "–"


def _cost(row: Row, table: Table, place: Place) -> list[str]:
    if row.kind != "learned":
        return ["", "", ""]
    results = [read(training(table.task, row.label, seed, place).folder / "result.json") for seed in range(table.seeds)]
    done = [result for result in results if result]
    steps = ", ".join(sorted({str(result.get("global_step", "–")) for result in done}))
    seconds = [result["training_core_seconds"] for result in done if "training_core_seconds" in result]
    return [steps, f"{sum(seconds) / len(seconds):.0f}" if seconds else "–", str(len(next(iter(row.seeds.values()))))]
