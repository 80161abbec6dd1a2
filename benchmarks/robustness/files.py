"""Damaged sound files through restore.py: a whole result, or a sentence about the file, and nothing else."""

import contextlib
import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import soundfile

import lightning_modules.commands.restore  # noqa: F401  # once, before every case has a process of its own
import restore
from benchmarks.mutations import CONTAINERS, mutated, whole_file
from benchmarks.robustness.tally import BrokenError, Tally, count_held

CASES = 2000
METHOD = "cubic_spline"


def run(count: int, seed: int, folder: Path) -> Tally:
    """Damage that many files of every container in turn, and restore each."""
    return count_held("files", cases(count, seed, folder), folder)


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Give cases by name."""
    whole = {container: whole_file(container) for container in CONTAINERS}
    for number in range(count):
        container = list(whole)[number % len(whole)]
        content = mutated(whole[container], np.random.default_rng([seed, number]))
        yield f"{number} {container}", partial(try_one, folder / f"{number}.{container}", content)


def try_one(path: Path, content: bytes) -> None:
    """Write a file and restore it.

    Raises:
        BrokenError: if the exit code and what is there of the result disagree, or a refusal does not name the file.
    """
    path.write_bytes(content)
    told, results = io.StringIO(), path.parent / f"{path.name}.restored"
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = restore.main([METHOD, str(path), "-o", str(results)])
    result = results / path.name
    if code == 0 and soundfile.info(str(result)).frames == 0:
        raise BrokenError("restored to nothing")
    if code != 0 and (code != 1 or result.exists() or path.name not in told.getvalue()):
        raise BrokenError(f"ends with {code} and says {told.getvalue()[:300]!r}")
