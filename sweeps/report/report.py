"""From run folders to a finished report: tables, page, sounds."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightning_modules.runs.json_file import write_whole
from machine.console import printable
from sweeps.report.clips import ANCHOR, CLEAN, Example, collect_examples
from sweeps.report.conditions import grids_text, read_grids
from sweeps.report.history import LONGEST, Curve, read_curves, thin
from sweeps.report.leaderboard import Leaderboard, build_leaderboard, words
from sweeps.report.manifests import facts
from sweeps.report.methods import CORRUPTED, Method, build_methods
from sweeps.report.page import page_data, write_page
from sweeps.report.runs import ReportedRun
from sweeps.report.tables import escaped, markdown_line, to_csv, to_markdown
from sweeps.report.votes import (
    Discrimination,
    Votes,
    discriminations,
    doubtful_listeners,
    opinion_text,
    opinions,
    read_votes,
    usable_votes,
)

OPINION = "MUSHRA (scores)"
MOST_POINTS, FEWEST = 500_000, 20
"""Of all learning curves together, and of one, whatever the others take: a page with more points is slow to draw."""


@dataclass(frozen=True)
class Report:
    """What was written: the leaderboard, the folder, and what the reader should know besides."""

    table: Leaderboard
    folder: Path
    notes: list[str]


def write_report(
    runs: Sequence[ReportedRun],
    evaluation: str,
    folder: Path,
    ballots: Sequence[Path],
    notes: Sequence[str],
    refresh_seconds: float | None = None,
) -> Report:
    """Write leaderboard.md, leaderboard.csv, index.html and blind.html.

    Args:
        runs: all tested on the same pairs.
        evaluation: id of those pairs.
        folder: is created.
        ballots: files saved by the blind test; one that cannot be used is left out, and named.
        notes: sentences about runs that are left out.
        refresh_seconds: after which index.html loads itself anew, while its reader is not at work on it; None: never.
    """
    usable, unusable = usable_votes(ballots, evaluation)
    votes = read_votes(usable, evaluation)
    methods, repeated = build_methods(runs)
    kept = [run for method in methods for run in method.runs]
    table = build_leaderboard(methods, sorted_files(kept[0]), _main_metric(kept), np.random.default_rng(0))
    examples, silent = collect_examples(table.methods)
    curves, lost = _curves(kept)
    grids = read_grids(kept, lost)
    told = [*notes, *unusable, *repeated, *silent, *lost, *_remarks(methods, votes, examples)]
    shown = [*told, f"best controls: {table.controls}"]
    opinion = {name: opinion_text(found) for name, found in opinions(votes).items()}
    listening = _listening(table, opinion, discriminations(votes))
    below = _listening_text(listening) + grids_text(grids)
    folder.mkdir(parents=True, exist_ok=True)
    _write_tables(folder, table, opinion, below, shown)
    data = page_data(table, kept, examples, {"evaluation": evaluation, **facts(kept[0])}, curves)
    context: dict[str, Any] = {"table": table, "opinion": opinion, "notes": shown, "listening": listening, "grids": grids}
    context["refresh_seconds"] = refresh_seconds
    write_page(folder, data, context, examples)
    return Report(table, folder, told)


def _curves(runs: Sequence[ReportedRun]) -> tuple[dict[Path, dict[str, Curve]], list[str]]:
    """Return the learning curves of each run, and a sentence for each file of them that is damaged."""
    curves, told, share = {}, [], MOST_POINTS // max(1, len(runs))
    for run in runs:
        problems: list[str] = []
        found = read_curves(run.folder, problems)
        longest = min(LONGEST, max(FEWEST, share // max(1, len(found))))
        curves[run.folder] = {name: thin(curve, longest) for name, curve in found.items()}
        told += [problem.replace(printable(run.folder), run.name) for problem in problems]
    return curves, told


def _write_tables(folder: Path, table: Leaderboard, opinion: dict[str, str], below: str, notes: Sequence[str]) -> None:
    extra = {OPINION: opinion} if opinion else {}
    text = to_markdown(table, extra) + below + "".join(f"\n- {escaped(note)}" for note in notes) + "\n"
    write_whole(folder / "leaderboard.md", text)
    write_whole(folder / "leaderboard.csv", to_csv(table, extra))


def sorted_files(run: ReportedRun) -> list[str]:
    """Return the recording of each pair, in the order of the pairs' indices."""
    return [file for _, file in sorted(zip(run.pairs.index, run.pairs.files, strict=True))]


def _main_metric(runs: Sequence[ReportedRun]) -> str:
    """Return the metric that most runs were steered by."""
    return Counter(str(run.result["monitor"]).split("/")[-1] for run in runs).most_common(1)[0][0]


def _remarks(methods: Sequence[Method], votes: Votes, examples: Sequence[Example]) -> list[str]:
    remarks = [
        f"{run.name} was {run.result['status']}: its scores are those of its best checkpoint until then"
        for method in methods
        for run in method.runs
        if run.result.get("status", "finished") != "finished"
    ]
    bare = [method.label for method in methods if not method.pairs]
    heard = {method.id for method in methods if not method.pairs} <= {name for example in examples for name in example.clips}
    if bare:
        remarks.append(
            f"{', '.join(bare)}: known by the means in other runs' tables, so without intervals; "
            f"python evaluate.py model=NAME on the same data gives them{'' if heard else ', and sound'}"
        )
    remarks += _gaps(methods)
    rows = {method.id for method in methods} | {CLEAN, ANCHOR}
    voted = {rating.condition for rating in votes.ratings} | {side for vote in votes.answers for side in (vote.a, vote.b)}
    gone = len(voted - rows)
    if gone:
        remarks.append(f"votes name {gone} conditions that none of these runs is; they are not in the table")
    return remarks + doubtful_listeners(votes)


def _gaps(methods: Sequence[Method]) -> list[str]:
    """Name the metrics that a method has on fewer pairs than its input: their mean is over the others, perhaps easier ones."""
    source = next(method for method in methods if method.kind == CORRUPTED).pairs
    found = []
    for method in (method for method in methods if method.runs):
        for name in method.pairs.keys() & source.keys():
            gaps = np.isnan(method.pairs[name]).any(axis=0) & ~np.isnan(source[name][0])
            if gaps.any():
                found.append(
                    f"{method.label} has no finite {words(name)} on {gaps.sum()} of {gaps.size} pairs; its mean leaves them out"
                )
    return sorted(found)


def _listening(table: Leaderboard, opinion: dict[str, str], told_apart: Sequence[Discrimination]) -> dict[str, Any]:
    """Return the scores of the hidden reference and the anchor, which are no rows, and the ABX results, with readable names."""
    names = {method.id: method.label for method in table.methods} | {CLEAN: "clean (hidden reference)", ANCHOR: "anchor"}
    scores = {names[name]: opinion[name] for name in (CLEAN, ANCHOR) if name in opinion}
    pairs = [
        {
            "pair": f"{names.get(found.a, found.a)} / {names.get(found.b, found.b)}",
            "correct": f"{found.correct} of {found.trials}",
            "share": f"{found.share.mean:.0%} [{found.share.low:.0%}, {found.share.high:.0%}]",
            "guessing": f"{found.by_guessing:.3g}",
        }
        for found in told_apart
    ]
    return {"scores": scores, "pairs": pairs}


def _listening_text(listening: dict[str, Any]) -> str:
    lines = [f"\n{name}: {score}" for name, score in listening["scores"].items()]
    if listening["pairs"]:
        lines += ["", "| ABX | correct | share | by guessing |", "| --- | --- | --- | --- |"]
        lines += [
            markdown_line([escaped(pair["pair"]), pair["correct"], pair["share"], pair["guessing"]])
            for pair in listening["pairs"]
        ]
    return "\n".join(lines) + "\n" if lines else ""
