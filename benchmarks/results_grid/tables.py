"""The tables of the grid: methods beside all controls, conditions apart, by the rule of every table about what is bold."""

import csv
import math
import platform
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from benchmarks.results_grid.jobs import CONTROLS, Place, read, whole_conditions
from benchmarks.results_grid.rows import EXPERIMENTS, Experiment
from benchmarks.results_tables import Row, cell
from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import choose_rows, left_out_line

SHORT = {"si_sdr_db": "SI-SDR", "snr_db": "SNR", "lsd": "LSD", "lsd_hf60": "LSD-HF60", "pesq_wb": "PESQ", "stoi": "STOI"}
ORDER = ("corrupted", "classical", "oracle", "learned")
SEEN = {True: ", seen", False: ", unseen", None: ""}


@dataclass(frozen=True)
class Column:
    """A condition: what it is, whether trainings heard it, and the rows that were tested on its pairs, the input first."""

    heading: str
    rows: Sequence[Row]


def table(name: str, seeds: Sequence[int], place: Place) -> list[str]:
    """Return the lines of an experiment's table with what has come to its end so far; none without its controls.

    Args:
        name: of the experiment.
        seeds: whose trainings make the rows.
        place: that holds the results.
    """
    experiment = EXPERIMENTS[name]
    controls = whole_conditions(place.evaluation(name, CONTROLS))
    learned = {method: evaluations(name, method, seeds, place) for method in experiment.steps}
    columns = [column(control, {method: found for method, found in learned.items() if found}) for control in controls]
    if not columns:
        return []
    wanted = {row.label for one in columns for row in choose_rows(one.rows)[0]}
    labels = [label for label in dict.fromkeys(row.label for one in columns for row in one.rows) if label in wanted]
    left_out = left_out_line(choose_rows(columns[0].rows, named=wanted)[1])
    lines = [f"## {experiment.title}", "", *head(experiment, columns)]
    lines += [line(label, experiment, columns, costs(name, label, seeds, place)) for label in labels]
    return [*lines, "", *filter(None, [f"{pairs_of(name, place, controls)}.", left_out]), ""]


def evaluations(name: str, method: str, seeds: Sequence[int], place: Place) -> list[list[dict[str, Any]]]:
    """Return what was found in the conditions by seed; a seed without an evaluation is left out."""
    found = (whole_conditions(place.evaluation(name, method, seed)) for seed in seeds)
    return [conditions for conditions in found if conditions]


def column(control: Mapping[str, Any], learned: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]) -> Column:
    """Return a condition with its rows.

    Args:
        control: the condition as the evaluation of the controls has it.
        learned: by method, the conditions of every seed; those over other pairs are left out.
    """
    rows = [row_of("input" if label == "corrupted" else label, [scores]) for label, scores in control["methods"].items()]
    seen = None
    for method, runs in learned.items():
        same = [one for run in runs for one in run if one["manifest_hash"] == control["manifest_hash"]]
        if same:
            rows.append(row_of(method, [list(one["methods"].values())[-1] for one in same]))
            seen = same[0]["seen"]
    ordered = sorted((row for row in rows if row.seeds), key=lambda row: ORDER.index(row.kind))
    return Column(f"{short_label(control['label'])}{SEEN[seen]}", ordered)


def row_of(label: str, scores: Sequence[Mapping[str, Any]]) -> Row:
    """Return a row of one method from what each of its seeds scored; without values if it failed, or where a metric has none."""
    names = [name for name in METRICS if all(one.get(name) is not None for one in scores)]
    seeds = {name: [float(one[name]) for one in scores] for name in names}
    return Row(label, str(scores[0]["kind"]), seeds, fmean(float(one.get("changed_share", 1.0)) for one in scores))


def short_label(label: str) -> str:
    """Shorten the label of a condition.

    >>> short_label("colors=white, snr_db=0 dB")
    'white 0 dB'
    >>> short_label("effects={overdrive: {gain: 17.5}}")
    'overdrive gain 17.5'
    """
    words = " ".join(part.partition("=")[2] for part in label.split(", "))
    return words.translate(str.maketrans("", "", "{}:"))


def head(experiment: Experiment, columns: Sequence[Column]) -> list[str]:
    """Return the lines above the rows."""
    first, *others = (SHORT[metric] for metric in experiment.metrics)
    names = [name for column in columns for name in (f"{column.heading}: {first}", *others)]
    titles = [experiment.axis, *names, "steps", "core-seconds", "seeds", "parameters", "real-time factor"]
    return [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]


def line(label: str, experiment: Experiment, columns: Sequence[Column], cost: Sequence[str]) -> str:
    """Return a row of the table; a dash where a method has no value."""
    cells = [value_in(column.rows, label, metric) for column in columns for metric in experiment.metrics]
    return f"| {' | '.join([label, *cells, *cost])} |"


def value_in(rows: Sequence[Row], label: str, metric: str) -> str:
    """Write the value of one of the rows that were tested on the same pairs, with its marks."""
    known = [row for row in rows if metric in row.seeds and not math.isnan(row.means[metric])]
    return next((cell(row, known, metric) for row in known if row.label == label), "–")


def costs(name: str, method: str, seeds: Sequence[int], place: Place) -> list[str]:
    """Return steps, core-seconds, number of seeds, size and real-time factor of a learned row; empty cells for the others."""
    if method not in EXPERIMENTS[name].steps:
        return 5 * [""]
    results = [read(place.run(name, method, seed) / "result.json") for seed in seeds if evaluations(name, method, [seed], place)]
    seconds = [result["training_core_seconds"] for result in results if "training_core_seconds" in result]
    spread = f" ± {stdev(seconds):.0f}" if len(seconds) > 1 else ""
    steps = ", ".join(sorted({str(result.get("global_step", "–")) for result in results}))
    core_seconds = f"{fmean(seconds):.0f}{spread}" if seconds else "–"
    return [steps, core_seconds, str(len(results)), *size_and_speed([place.evaluation(name, method, seed) for seed in seeds])]


def size_and_speed(folders: Sequence[Path]) -> list[str]:
    """Return the parameters of a method and its mean real-time factor, as its evaluations have them."""
    results = [read(folder / "result.json") for folder in folders]
    sizes = sorted({int(result["params"]) for result in results if result.get("params") is not None})
    factors = [float(result["real_time_factor"]) for result in results if result.get("real_time_factor") is not None]
    return [", ".join(f"{size:,}" for size in sizes) or "–", f"{fmean(factors):.3g}" if factors else "–"]


def pairs_of(name: str, place: Place, controls: Sequence[Mapping[str, Any]]) -> str:
    """Say how many test pairs each condition has, and of what kind the recordings of the first one are by the MANIFESTs."""
    known = {Path(file).name: kind for folder in EXPERIMENTS[name].folders for file, kind in kinds_in(place.audio / folder)}
    path = place.evaluation(name, CONTROLS) / "per_example.csv"
    with path.open(newline="", encoding="utf-8") as file:
        found = Counter(known.get(Path(pair["file"]).name, "unknown") for pair in csv.DictReader(file))
    counts = " or ".join(dict.fromkeys(str(control["pairs"]) for control in controls))
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(found.items()))
    return f"{counts} pairs: {kinds}"


def kinds_in(folder: Path) -> Iterable[tuple[str, str]]:
    """Yield the files that a folder's MANIFEST.csv lists, with their kinds."""
    path = folder / "MANIFEST.csv"
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            yield from ((row["file"], row.get("kind") or "unknown") for row in csv.DictReader(file))


def made_by(names: Iterable[str], seeds: Sequence[int], place: Place) -> str:
    """Say which commits trained what there is, and on which machine the tables are printed."""
    rows = [(name, method, seed) for name in names for method in EXPERIMENTS[name].steps for seed in seeds]
    commits = {read(place.run(*row) / "result.json").get("git_commit") for row in rows} - {None}
    told = ", ".join(f"`{commit[:7]}{'-dirty' if commit.endswith('-dirty') else ''}`" for commit in sorted(map(str, commits)))
    return f"Commit {told or 'unknown'}. {processor()}, one core, torch {torch.__version__}."


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text(encoding="utf-8").splitlines() if about.is_file() else []
    names = (text.partition(":")[2].strip() for text in lines if text.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
