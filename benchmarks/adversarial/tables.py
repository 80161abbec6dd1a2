"""The tables of the experiment: paired differences to the control of equal time, their intervals, and a verdict on every arm."""

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.adversarial.jobs import Plan, evaluations, training
from benchmarks.adversarial.rows import ADVERSARIAL, CONTROL, DECIDING, METRICS, OF_METHOD, START, UNHARMED
from benchmarks.results_grid.jobs import read
from benchmarks.results_grid.tables import processor
from lightning_modules.metrics.registry import METRICS as KNOWN
from lightning_modules.runs.perceiving import PAIRS
from sweeps.report.bootstrap import Interval, Resampling

ALL = "all filters"
Pair = tuple[str, str]
"""The filter and the number of a test pair."""


@dataclass(frozen=True)
class Scored:
    """What an arm scored.

    Attributes:
        pairs: by seed, the values of every pair by metric.
        files: the recording of every pair.
        whole: by seed, the values that a method has as a whole, a filter each.
    """

    pairs: Sequence[Mapping[Pair, Mapping[str, float]]]
    files: Mapping[Pair, str]
    whole: Sequence[Mapping[str, float]]

    def matrix(self, metric: str, places: Sequence[Pair]) -> np.ndarray:
        """Return the values (S, N) of pairs; NaN where one has none."""
        return np.array([[pairs[place].get(metric, math.nan) for place in places] for pairs in self.pairs])


def lines_of(plan: Plan) -> list[str]:
    """Return the lines of the tables; before the control was evaluated, only that it is missing."""
    found = {arm: scored(arm, plan) for arm in (*plan.arms, START)}
    reasons = left_out(found)
    if CONTROL in reasons:
        return [f"No tables yet: {CONTROL}: {reasons[CONTROL]}"]
    rows = {arm: row for arm, row in found.items() if arm not in reasons}
    lines = [line for name in (ALL, *plan.filters) for line in table(name, rows)]
    told = [f"Left out: {arm}: {reason}" for arm, reason in reasons.items()]
    return [*lines, *costs(plan, rows), *verdicts(rows), *told, "", f"{processor()}, one core."]


def left_out(found: Mapping[str, Scored]) -> dict[str, str]:
    """Return why arms have no part in the tables."""
    unfinished = {arm: "no seed has all of its evaluations" for arm, row in found.items() if not row.pairs}
    files = found[CONTROL].files
    others = {arm: f"its pairs are not those of {CONTROL}" for arm, row in found.items() if row.files != files}
    return others | unfinished


def scored(arm: str, plan: Plan) -> Scored:
    """Return what an arm scored in the seeds of which every evaluation is done."""
    seeds, files, whole = [], {}, []
    for seed in (0,) if arm == START else plan.seeds:
        jobs = evaluations(arm, seed, plan)
        if not jobs or not all(job.is_done() for job in jobs):
            continue
        pairs: dict[Pair, dict[str, float]] = {}
        for name, job in zip(plan.filters, jobs, strict=True):
            for index, line in lines_by_pair(job.folder).items():
                files[name, index] = line["file"]
                pairs[name, index] = {metric: float(line[metric]) for metric in METRICS if line.get(metric)}
        seeds.append(pairs)
        whole.append({name: _of_method(job.folder) for name, job in zip(plan.filters, jobs, strict=True)})
    return Scored(seeds, files, whole)


def lines_by_pair(folder: Path) -> dict[str, dict[str, str]]:
    """Return what an evaluation says of every pair, models of hearing included, by the number of the pair."""
    found: dict[str, dict[str, str]] = {}
    for path in (folder / "per_example.csv", folder / PAIRS):
        if path.is_file():
            with path.open(newline="", encoding="utf-8") as file:
                for line in csv.DictReader(file):
                    found.setdefault(line["index"], {}).update(line)
    return found


def _of_method(folder: Path) -> float:
    methods = read(folder / "result.json").get("methods") or {"": {}}
    return float(list(methods.values())[-1].get(OF_METHOD, math.nan))


def differences(rows: Mapping[str, Scored], name: str) -> dict[str, dict[str, Interval]]:
    """Return by metric the mean paired difference of each arm to the control, with its interval, behind one filter or all."""
    control = rows[CONTROL]
    places = [place for place in control.files if name in (ALL, place[0])]
    seeds = {arm: len(row.pairs) for arm, row in rows.items()}
    drawn = Resampling([control.files[place] for place in places], seeds, np.random.default_rng(0))
    others = {arm: row for arm, row in rows.items() if arm != CONTROL}
    return {
        metric: drawn.intervals(
            {arm: row.matrix(metric, places) for arm, row in others.items()}, CONTROL, control.matrix(metric, places)
        )
        for metric in METRICS
    }


def table(name: str, rows: Mapping[str, Scored]) -> list[str]:
    """Return the lines of the table behind one filter or all; the control has its means, the others differences to it."""
    control = rows[CONTROL]
    places = [place for place in control.files if name in (ALL, place[0])]
    headings = [*(KNOWN[metric].heading for metric in METRICS), KNOWN[OF_METHOD].heading]
    means = [_number(control.matrix(metric, places), f".{_decimals(metric)}f") for metric in METRICS]
    found, whole = differences(rows, name), {arm: _whole(row, name) for arm, row in rows.items()}
    lines = [f"| {CONTROL} | {' | '.join([*means, f'{whole[CONTROL]:.1f}'])} | {len(control.pairs)} |"]
    for arm, row in rows.items():
        if arm != CONTROL:
            cells = [_cell(found[metric].get(arm), metric) for metric in METRICS]
            cells.append(f"{whole[arm] - whole[CONTROL]:+.1f}")
            lines.append(f"| {arm} − {CONTROL} | {' | '.join(cells)} | {len(row.pairs)} |")
    head = [
        f"## {name}: {len(places)} pairs",
        "",
        f"| arm | {' | '.join(headings)} | seeds |",
        "|---" * (len(headings) + 2) + "|",
    ]
    return [*head, *lines, ""]


def _whole(row: Scored, name: str) -> float:
    return fmean(value for seed in row.whole for filter_name, value in seed.items() if name in (ALL, filter_name))


def _number(values: np.ndarray, form: str) -> str:
    known = values[:, ~np.isnan(values).any(axis=0)]
    return format(float(known.mean()), form) if known.size else "–"


def _cell(interval: Interval | None, metric: str) -> str:
    """Write a difference with its interval: bold if better than chance, ▼ if worse than chance."""
    if interval is None:
        return "–"
    form = f"+.{_decimals(metric)}f"
    told = f"{interval.mean:{form}} [{interval.low:{form}}, {interval.high:{form}}]"
    if not interval.excludes_zero:
        return told
    return f"**{told}**" if interval.mean * KNOWN[metric].sign > 0 else f"{told} ▼"


def _decimals(metric: str) -> int:
    return max(KNOWN[metric].decimals, 0 if metric.endswith("_db") else 3)


def costs(plan: Plan, rows: Mapping[str, Scored]) -> list[str]:
    """Return the lines that say what equal time was: a step by its trial, the steps, and the time that they took."""
    lines = ["| arm | core-seconds a step, tried | steps | core-seconds, as trained |", "|---|---|---|---|"]
    for arm in rows:
        steps, seconds = (None, None) if arm == START else (plan.steps(arm), plan.step_seconds(arm))
        if steps is not None and seconds is not None:
            results = [read(training(arm, seed, steps, plan).folder / "result.json") for seed in plan.seeds]
            taken = [f"{result['training_core_seconds']:.0f}" for result in results if "training_core_seconds" in result]
            lines.append(f"| {arm} | {seconds:.3f} | {steps} | {', '.join(taken) or '–'} |")
    return [*lines, ""]


def verdicts(rows: Mapping[str, Scored]) -> list[str]:
    """Say of every arm that has a discriminator whether it is better than the control in all that decides, unharmed below."""
    found = differences(rows, ALL)
    return [verdict(arm, {metric: of.get(arm) for metric, of in found.items()}) for arm in ADVERSARIAL if arm in rows]


def verdict(arm: str, found: Mapping[str, Interval | None]) -> str:
    """Return the sentence on an arm.

    Args:
        arm: its name.
        found: by metric its difference to the control; None where there is none.
    """
    unknown = [metric for metric in (*DECIDING, UNHARMED) if found.get(metric) is None]
    if unknown:
        return f"Verdict on {arm}: not known, as {', '.join(unknown)} has no interval"
    better = [metric for metric in DECIDING if _established(found[metric], metric) > 0]
    failed = [f"not better in {metric}" for metric in DECIDING if metric not in better]
    if _established(found[UNHARMED], UNHARMED) < 0:
        failed.append(f"worse in {UNHARMED}")
    return f"Verdict on {arm}: {'does NOT pay' if failed else 'pays'} ({', '.join(failed or better)})"


def _established(interval: Interval | None, metric: str) -> int:
    """Return 1 if an arm is better beyond chance, -1 if it is worse, else 0."""
    if interval is None or not interval.excludes_zero:
        return 0
    return KNOWN[metric].sign if interval.mean > 0 else -KNOWN[metric].sign
