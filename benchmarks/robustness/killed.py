"""Commands in processes of their own that are killed: after a time, or at one of their steps on a disk."""

import os
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.robustness.commands import spoken
from benchmarks.robustness.tally import has_ended
from machine import system

STEPS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"}
"""Python's names (audit events) of what a command does to files."""
KILLED = -system.KILLED


@dataclass(frozen=True)
class Command:
    """A command line, and where it writes.

    Attributes:
        script: train, evaluate, restore or compare.
        arguments: of the command line.
        folder: for what is written, the two streams included.
    """

    script: str
    arguments: Sequence[str]
    folder: Path


@dataclass(frozen=True)
class Kill:
    """When a command is killed.

    Attributes:
        after_seconds: from the start, or from the step.
        place: folder, below that of the command, whose files the steps are about; empty for none.
        step: number of the step, from 1 on.
    """

    after_seconds: float
    place: str = ""
    step: int = 0

    def sooner(self) -> "Kill":
        """Return a kill after half the time, or at half the steps."""
        return replace(self, after_seconds=self.after_seconds / 2, step=(self.step + 1) // 2)


def run_whole(command: Command, places: Sequence[str]) -> tuple[float, dict[str, int]]:
    """Run a command to its end; return the seconds that it took, and its steps in each place.

    Raises:
        OSError: if it fails.
    """
    started = time.monotonic()
    steps = [_Steps(command.folder / place) for place in places]
    counts = command.folder / "steps.txt"

    def watched() -> int:
        for counter in steps:
            sys.addaudithook(counter)
        code = spoken(command.script, command.arguments, command.folder).code
        counts.write_text(" ".join(str(counter.count) for counter in steps), encoding="utf-8")
        return code

    code = _wait(_start(watched))
    if code != 0:
        raise OSError(f"{command.script} ends with {code}: {(command.folder / 'err.txt').read_text(encoding='utf-8')}")
    seconds, numbers = time.monotonic() - started, map(int, counts.read_text(encoding="utf-8").split())
    counts.unlink()
    return seconds, dict(zip(places, numbers, strict=True))


def run_killed(command: Command, kill: Kill) -> int:
    """Run a command until it is killed or ends before; return its exit code, or `KILLED`."""

    def doomed() -> int:
        if kill.place:
            sys.addaudithook(_Steps(command.folder / kill.place, kill.step, kill.after_seconds))
        return spoken(command.script, command.arguments, command.folder).code

    process = _start(doomed)
    limit = None if kill.place else time.monotonic() + kill.after_seconds
    while limit is not None and time.monotonic() < limit and not has_ended(process):
        time.sleep(0.002)
    if limit is not None:
        os.kill(process, system.KILLED)
    return _wait(process)


class _Steps:
    """Count the steps in a folder, and end this process some seconds after one of them."""

    def __init__(self, folder: Path, last: int = 0, then_seconds: float = 0.0) -> None:
        self.count, self._folder, self._last, self._seconds = 0, str(folder), last, then_seconds

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in STEPS or not str(arguments[0]).startswith(self._folder):
            return
        self.count += 1
        if self.count != self._last:
            return
        if self._seconds:
            threading.Timer(self._seconds, os.kill, (os.getpid(), system.KILLED)).start()
        else:
            os.kill(os.getpid(), system.KILLED)


def _start(work: Any) -> int:
    process = os.fork()
    if process == 0:
        code = 70
        try:
            code = work()
        finally:
            os._exit(code)
    return process


def _wait(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
