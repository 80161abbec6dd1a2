"""The rows of the leaderboard: runs of one method over its seeds, the untouched input, and the classical methods."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.controls import choose_rows, left_out_line
from lightning_modules.runs.damage import is_number
from sweeps.report.keys import keys_of_names, label, method_id
from sweeps.report.panels import asked_alike
from sweeps.report.runs import PairScores, ReportedRun

CORRUPTED = "corrupted"
LARGEST_FACT = 1e18
"""No run has as many parameters, or takes as many seconds."""


@dataclass(frozen=True)
class Method:
    """One row.

    `means` and `deviations` are over seeds (the deviation NaN for fewer than two); `pairs` holds the scores of every seed for
    every test pair, (S, N) by metric, and nothing for a method known only by its means in other runs' tables.
    `changed_share` is the share of the test pairs that it changes.
    """

    id: str
    label: str
    kind: str
    runs: tuple[ReportedRun, ...]
    means: Mapping[str, float]
    deviations: Mapping[str, float]
    pairs: Mapping[str, np.ndarray]
    changed_share: float = 1.0

    def fact(self, name: str) -> float:
        """Return the mean over the runs of a number in result.json, NaN if none recorded it."""
        return mean([run.result[name] for run in self.runs if is_fact(run.result.get(name))])


def is_fact(value: object) -> bool:
    """Say whether a value can be a number of parameters, seconds or bytes."""
    return is_number(value) and abs(value) < LARGEST_FACT  # type: ignore[arg-type]  # a number


def mean(values: Sequence[float] | np.ndarray) -> float:
    """Average the values that exist; NaN when none does."""
    known = [float(value) for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def deviation(values: Sequence[float]) -> float:
    """Return the sample standard deviation of the values that exist; NaN for fewer than two."""
    known = [value for value in values if not math.isnan(value)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else math.nan


def build_methods(runs: Sequence[ReportedRun]) -> tuple[list[Method], list[str]]:
    """Turn runs with the same test pairs into rows.

    Args:
        runs: at least one, all of one evaluation set.

    Returns:
        The rows, corrupted first, then classical, then learned methods in the order found; and sentences about what is left out:
        runs, classical methods that are no use as a control and have no run of their own, and those that failed.
    """
    runs, unlike = asked_alike([_ordered(run) for run in runs])
    groups, notes = _by_method(runs)
    kept = [run for group in groups for run in group]
    keys = keys_of_names(kept)
    own = [_method(group, keys[group[0].model]) for group in groups]
    beside, failures = _classical_rows(kept, {row.runs[0].method for row in own})
    rank = {"corrupted": 0, "oracle": 1, "classical": 2, "learned": 3}
    rows = unique_labels(sorted([_corrupted(kept[0]), *beside, *own], key=lambda row: rank.get(row.kind, 3)))
    shown, left_out = choose_rows(rows, named=[row.label for row in rows if row.runs])
    return shown, [*unlike, *notes, *failures, *filter(None, [left_out_line(left_out)])]


def _ordered(run: ReportedRun) -> ReportedRun:
    """Sort the pairs of a run by index, so that the pairs of all runs correspond."""
    order = np.argsort(run.pairs.index)
    pairs = PairScores(
        tuple(run.pairs.index[i] for i in order),
        tuple(run.pairs.places[i] for i in order),
        {name: values[order] for name, values in run.pairs.restored.items()},
        {name: values[order] for name, values in run.pairs.corrupted.items()},
    )
    return replace(run, pairs=pairs)


def _by_method(runs: Sequence[ReportedRun]) -> tuple[list[list[ReportedRun]], list[str]]:
    """Group runs that differ in the seed only, each seed once.

    Where a seed comes up again, the commits of the program are told apart; of the runs of one commit the newest counts.
    """
    groups: dict[str, list[ReportedRun]] = {}
    for run in runs:
        groups.setdefault(method_id(run), []).append(run)
    split = [part for group in groups.values() for part in _by_commit(group)]
    notes: list[str] = []
    return [_once_a_seed(group, notes) for group in split], notes


def _by_commit(group: Sequence[ReportedRun]) -> list[list[ReportedRun]]:
    if len({run.seed for run in group}) == len(group):
        return [list(group)]
    commits: dict[Any, list[ReportedRun]] = {}
    for run in group:
        commits.setdefault(run.result.get("git_commit"), []).append(run)
    return list(commits.values())


def _once_a_seed(group: Sequence[ReportedRun], notes: list[str]) -> list[ReportedRun]:
    newest: dict[int, ReportedRun] = {}
    for run in sorted(group, key=lambda run: (run.folder / "result.json").stat().st_mtime):
        if run.seed in newest:
            notes.append(f"{newest[run.seed].name} left out: {run.name} has the same settings and seed, and is newer")
        newest[run.seed] = run
    return [newest[seed] for seed in sorted(newest)]


def _method(group: Sequence[ReportedRun], keys: Sequence[str]) -> Method:
    scores = [run.pairs.restored for run in group]
    names = [name for name in METRICS if all(name in score for score in scores)]
    per_run = {name: [mean(score[name]) for score in scores] for name in names}
    probes = [_probes(run, run.method) for run in group]
    per_run |= {name: [values[name] for values in probes] for name in METRICS if all(name in values for values in probes)}
    return Method(
        id=method_id(group[0]),
        label=label(group[0], keys),
        kind=group[0].kind,
        runs=tuple(group),
        means={name: mean(values) for name, values in per_run.items()},
        deviations={name: deviation(values) for name, values in per_run.items()},
        pairs={name: np.stack([score[name] for score in scores]) for name in names},
        changed_share=float(group[0].result["methods"][group[0].method].get("changed_share", 1.0)),
    )


def _corrupted(run: ReportedRun) -> Method:
    scores = run.pairs.corrupted
    means = {name: mean(values) for name, values in scores.items()} | _probes(run, CORRUPTED)
    pairs = {name: values[None] for name, values in scores.items()}
    return Method(CORRUPTED, CORRUPTED, CORRUPTED, (), means, dict.fromkeys(means, math.nan), pairs)


def _probes(run: ReportedRun, name: str) -> dict[str, float]:
    """Return the metrics of a method of a run's table that have no values per pair; older runs have none."""
    row = run.result["methods"].get(name, {})
    return {key: _known(row[key]) for key, info in METRICS.items() if info.is_of_method and key in row}


def _classical_rows(runs: Sequence[ReportedRun], own: set[str]) -> tuple[list[Method], list[str]]:
    """Return the methods without training that runs list beside themselves and that have no run of their own.

    Returns:
        The rows, and a sentence for each method that failed in every run that tried it.
    """
    rows: dict[str, Method] = {}
    failures: dict[str, str] = {}
    for run in runs:
        for name, scores in run.result["methods"].items():
            if scores.get("kind") not in ("classical", "oracle") or name in own or name in rows:
                continue
            if "failure" in scores:
                failures[name] = f"{name} has no scores in {run.name}: {scores['failure']}"
            else:
                rows[name] = listed_row(name, scores)
    return list(rows.values()), [sentence for name, sentence in failures.items() if name not in rows]


def listed_row(name: str, scores: Mapping[str, Any]) -> Method:
    """Return the row of a method that is known by its means in a table of results, which is as checked."""
    means = {key: _known(scores[key]) for key in METRICS if key in scores}
    share = float(scores.get("changed_share", 1.0))
    return Method(name, name, str(scores.get("kind", "learned")), (), means, dict.fromkeys(means, math.nan), {}, share)


def _known(value: float | None) -> float:
    return math.nan if value is None else float(value)


def unique_labels(methods: Sequence[Method]) -> list[Method]:
    """Tell apart rows that are labeled alike (other commits of the program) by the commit, or else by the run's name."""
    labels = Counter(method.label for method in methods)
    return [method if labels[method.label] == 1 else _told_apart(method) for method in methods]


def _told_apart(method: Method) -> Method:
    name = method.runs[0].name if method.runs else method.kind
    commit = str(method.runs[0].result.get("git_commit") or "")[:7] if method.runs else ""
    return replace(method, label=f"{method.label} ({name} {commit})".replace(" )", ")"), id=f"{method.id}-{commit or name}")
