"""The tables of a card: a row a condition, the model beside the input and the best control."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.model_cards.jobs import evaluation
from benchmarks.model_cards.rows import CARDS, Check
from benchmarks.results_grid.jobs import Place, read, whole_conditions
from benchmarks.results_grid.tables import SEEN, SHORT, row_of, short_label, value_in
from benchmarks.results_tables import Row
from lightning_modules.runs.controls import best_control

BANDS = {"mel_hf": "mel-HF", "snr_lf_db": "SNR-LF"}
NAMES = {**SHORT, **BANDS, "noharm_db": "intact (dB)", "preecho_db": "pre-echo (dB)", "si_sdr_quiet_db": "quiet half (dB)"}
BEST = "best control"
UNITS = {"db": "dB", "hz": "Hz"}
"""By the end of a key."""


def lines_of(name: str, place: Place) -> list[str]:
    """Return the tables of a model's card; those whose evaluation is missing are left out."""
    found = {short: conditions_in(evaluation(name, short, place).folder, check) for short, check in CARDS[name].checks.items()}
    tables = [table_of(check, found[short]) for short, check in CARDS[name].checks.items() if found[short]]
    return [f"# {name}", "", *(line for lines in tables for line in lines)]


def conditions_in(folder: Path, check: Check) -> list[dict[str, Any]]:
    """Return the conditions that an evaluation came through; where it had none apart, the one it had."""
    if check.conditions:
        return whole_conditions(folder)
    result = read(folder / "result.json")
    label = f"{check.corruption[-1]} {UNITS[check.corruption[-1].partition('=')[0].rpartition('_')[-1]]}"
    return [{"label": label, "seen": None, "methods": result["methods"], "pairs": result["pairs"]}] if result else []


def table_of(check: Check, conditions: list[dict[str, Any]]) -> list[str]:
    """Return a table's lines.

    Args:
        check: what was tested.
        conditions: as they were found, at least one.
    """
    first, *controls, last = ["input", *list(conditions[0]["methods"])[1:]]
    shown = [first, *(controls if len(controls) < 2 else [BEST]), last]
    titles = [f"{NAMES[metric]}: {label}" for metric in check.metrics for label in shown]
    pairs = " or ".join(dict.fromkeys(str(one["pairs"]) for one in conditions))
    head = [
        f"### {check.title}",
        "",
        f"{pairs} pairs.",
        "",
        f"| condition | {' | '.join(titles)} |",
        "|---" * (len(titles) + 1) + "|",
    ]
    return [*head, *(row(one, check) for one in conditions), ""]


def row(condition: Mapping[str, Any], check: Check) -> str:
    """Return the row of a condition, each value with its marks."""
    rows = [row_of("input" if label == "corrupted" else label, [scores]) for label, scores in condition["methods"].items()]
    cells = [cell for metric in check.metrics for cell in cells_of(rows, metric)]
    return f"| {short_label(condition['label'])}{SEEN[condition['seen']]} | {' | '.join(cells)} |"


def cells_of(rows: Sequence[Row], metric: str) -> list[str]:
    """Return what the input, the control and the model have in a metric; of several controls the best, with its name."""
    first, *controls, last = (value_in(rows, row.label, metric) for row in rows)
    if len(controls) < 2:
        return [first, *controls, last]
    best = best_control(rows[1:-1], metric)
    return [first, f"{value_in(rows, best.label, metric)} ({best.label})" if best else "–", last]
