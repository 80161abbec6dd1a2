"""Compare runs again whenever one of them has come to its end, as long as a sweep goes on."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

RESULT = "result.json"
WATCHED = frozenset({RESULT, "job.json", "conditions.json"})
"""Files of a run by whose changes there is something new to report."""
Stamps = frozenset[tuple[str, int, int]]


def watch(work: Callable[[], int], paths: Sequence[Path], seconds: float, until: int | None) -> int:
    """Repeat some work whenever a result is new, until there are so many; returns what it returned last.

    Args:
        work: on the runs that are there by then.
        paths: folders that are searched for runs.
        seconds: between two looks; the work is given at least as long a rest as it took.
        until: results that are enough; None goes on for ever.
    """
    seen: Stamps | None = None
    code, rest = 0, seconds
    while True:
        now = stamps(paths)
        if now != seen:
            started = time.monotonic()
            code = _worked(work, now)
            seen, rest = now, max(seconds, time.monotonic() - started)
        if until is not None and _results(now) >= until:
            return code
        time.sleep(rest)


def _worked(work: Callable[[], int], now: Stamps) -> int:
    if not _results(now):
        print("no run has come to its end yet", file=sys.stderr, flush=True)
        return 0
    return work()


def stamps(paths: Sequence[Path]) -> Stamps:
    """Return path, time and size of all files in some folders that say how runs ended."""
    found = set()
    for path in paths:
        for folder, _, files in os.walk(path):
            for name in WATCHED.intersection(files):
                try:
                    facts = os.stat(place := os.path.join(folder, name))
                except OSError:  # gone since
                    continue
                found.add((place, facts.st_mtime_ns, facts.st_size))
    return frozenset(found)


def _results(found: Stamps) -> int:
    return sum(Path(place).name == RESULT for place, _, _ in found)
