"""Wrong values for every option of restore.py and compare.py: each is told with the option, and nothing is left behind."""

import os
import random
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.mutations import whole_file
from benchmarks.robustness.commands import require_sentences, spoken
from benchmarks.robustness.tally import Case, Tally, count_held, require

CASES = 3
"""Wrong values of an option."""
NO_NUMBER = ("nan", "inf", "-inf", "fast", "", "1,5", "0x10", "1e400")
NO_COUNT = ("-1", "1.5", "x", "", "1e3", "10000000000", "²")
NO_NAME = ("", " ", "unheard_of", "../x", "a\nb")
BLANK = ("", " ", "\t")
OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "restore": {
        "--strength": (*NO_NUMBER, "-0.1", "1.1", "2"),
        "--steps": NO_COUNT,
        "--step-size": (*NO_NUMBER, "-0.1"),
        "--keep-low-band": (*NO_NUMBER, "-1"),
        "--chunk": (*NO_NUMBER, "0", "0.4", "-1"),
        "--overlap": (*NO_NUMBER, "-1"),
        "--format": NO_NAME,
        "--subtype": NO_NAME,
        "--clip-mode": NO_NAME,
        "--device": NO_NAME,
        "--trust": NO_NAME,
        "--output": BLANK,
    },
    "compare": {"--output": BLANK, "--manifest": BLANK, "--votes": BLANK},
}
INPUTS = {"restore": ("wiener", "a.wav"), "compare": ("runs",)}
BAD_USAGE = 2


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Give each option so many wrong values."""
    yield count_held(f"{count} wrong values of every option", cases(count, seed, folder), folder, partial(try_right, folder))


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by script, option and value."""
    for script, options in OPTIONS.items():
        for option, values in options.items():
            for value in random.Random(f"{seed} {option}").sample(values, min(count, len(values))):
                yield f"{script} {option} {value!r}", partial(try_one, folder, script, option, value)


def try_one(folder: Path, script: str, option: str, value: str) -> None:
    """Give a script a wrong value in a folder with its inputs alone.

    Raises:
        BrokenError: if it is accepted, or the answer does not name the option and what was given, or something is left.
    """
    work = _prepared(folder)
    output = [] if option == "--output" else ["-o", "out"]
    said = spoken(script, [*INPUTS[script], *output, f"{option}={value}"], folder)
    require_sentences(said.text)
    require(said.code == BAD_USAGE, f"ends with {said.code} and says {said.err[-600:]!r}")
    told = said.err.splitlines()[-1]
    given = value.strip() if value.isprintable() else ""
    require(option in told and given.lower() in told.lower(), f"does not name option and value: {told!r}")
    require([path.name for path in work.iterdir()] == ["a.wav"], f"leaves {sorted(work.iterdir())}")


def try_right(folder: Path) -> None:
    """Give a script no wrong value.

    Raises:
        BrokenError: if it is refused.
    """
    work = _prepared(folder)
    said = spoken("restore", [*INPUTS["restore"], "-o", "out"], folder)
    require(said.code == 0 and (work / "out" / "a.wav").is_file(), f"ends with {said.code} and says {said.err[-600:]!r}")


def _prepared(folder: Path) -> Path:
    work = folder / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    (work / "a.wav").write_bytes(whole_file("wav"))
    os.chdir(work)
    return work
