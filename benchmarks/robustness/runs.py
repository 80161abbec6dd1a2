"""Damaged run folders: one of three is damaged in one file, and the report on the others and `resume=auto` go on."""

import contextlib
import io
import json
import os
import random
import re
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import compare
from benchmarks.robustness.damage import FORMS, REPLACING, Form
from benchmarks.robustness.run_folders import PARTS, configuration, write_run
from benchmarks.robustness.tally import BrokenError, Case, Tally, count_held, require
from lightning_modules.runs.folder import open_run

CASES = 200
SHOWN = tuple(part for part in PARTS if part not in ("run.json", "job.json", "checkpoints/last.ckpt"))
"""Files that a report on finished runs shows something of."""
OTHERS = {"fine": 0.01, "good": 0.0001}
DAMAGED_RATE = 0.001


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Damage that many run folders, and report and resume beside each."""
    write_runs(folder / "whole")
    normal = partial(try_one, folder, lambda path, rng: None, "epochs.jsonl", random.Random(seed))
    yield count_held("run folders", cases(count, seed, folder), folder, normal)


def write_runs(folder: Path) -> None:
    """Write three runs, and an unfinished one of the configuration of the third beside it."""
    for name, rate in (OTHERS | {"bad": DAMAGED_RATE}).items():
        write_run(folder / name, configuration(rate))


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by name: every form of damage in turn, each on a file that is drawn."""
    rng = random.Random(seed)
    names = list(FORMS)
    for number in range(count):
        form, part = names[number % len(names)], rng.choice(PARTS)
        yield f"{number} {form} in {part}", partial(try_one, folder, FORMS[form], part, random.Random(f"{seed} {number}"))


def try_one(folder: Path, form: Form, part: str, rng: random.Random) -> None:
    """Damage a file of a run, report all, and go on with the run.

    Raises:
        BrokenError: if anything promised does not hold.
    """
    runs = folder / "runs"
    shutil.rmtree(runs, ignore_errors=True)
    shutil.copytree(folder / "whole", runs)
    if part == "job.json":
        (runs / "bad" / "result.json").unlink()
    form(runs / "bad" / part, rng)
    check_report(runs, folder / "report", part if is_lost(form, part) else "")
    if part != "result.json":
        (runs / "bad" / "result.json").unlink(missing_ok=True)
    check_resume(runs)


def is_lost(form: Form, part: str) -> bool:
    """Say whether nothing is left of a file that a report shows; but for two, any may be missing."""
    return part in SHOWN and form in REPLACING and (form is not FORMS["missing"] or part in ("config.yaml", "per_example.csv"))


def check_report(runs: Path, report: Path, lost: str = "") -> None:
    """Hold the report to its promise: one printable sentence a problem, the other rows, a page that can be read.

    The damaged run has a row or is named, and if it has a result, the exit code tells which.

    Args:
        runs: folder of the three.
        report: is written.
        lost: file of the damaged run of which nothing is left; it is named.

    Raises:
        BrokenError: if anything of it does not hold.
    """
    shutil.rmtree(report, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = compare.main([str(runs), "-o", str(report)])
    notes, table = err.getvalue(), out.getvalue()
    rows = [rate for rate in OTHERS.values() if f"lr={rate:g} " not in table]
    require(not rows, f"no row of lr {rows}: {notes}")
    require("Traceback" not in notes and all(line.isprintable() for line in notes.splitlines()), f"prints {notes!r}")
    is_there = sum(line.startswith("unet ") for line in table.splitlines()) > len(OTHERS)
    named = [line for line in notes.splitlines() if line.startswith(("note: bad ", "note: bad/"))]
    require(is_there or bool(named), f"the damaged run has no row and is not named: {notes}")
    require(code == int(not is_there and os.path.lexists(runs / "bad" / "result.json")), f"exit code {code}: {notes}")
    require(not lost or f"bad/{lost}" in notes, f"does not name {lost}: {notes}")
    page = (report / "index.html").read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    require(found is not None, "the page has no data")
    assert found is not None
    json.loads(found[1], parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise BrokenError(f"{name} in the page")


def check_resume(runs: Path) -> None:
    """Go on as `resume=auto` does, in silence or with a word."""
    import logging

    logging.disable(logging.CRITICAL)
    try:
        opened = open_run(runs / "next", "auto", configuration(DAMAGED_RATE))
    finally:
        logging.disable(logging.NOTSET)
    require(opened.folder in (runs / "next", runs / "bad"), f"goes on in {opened.folder}")
    opened.close()
