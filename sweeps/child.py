"""A process that never outlives the one that started it, with everything it starts in turn."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from machine.system import STOPPING, Process, ask, end_group, end_own_group, heed
from sweeps.forge import popen

LIFELINE_VARIABLE = "CLARION_LIFELINE"
"""Set where standard input is a pipe that reaches its end when the parent is gone, however it went."""
POLL_SECONDS = 0.5


@dataclass
class Child:
    """A running process and what was asked of it: `signal` is the first signal that this process received for it."""

    process: Process
    signal: int | None = None
    stopped: bool = False

    def forward(self, number: int, frame: FrameType | None) -> None:
        """Pass a signal on; a second one ends the whole group at once.

        Only the leader is told: it ends the others at the same batch, while data workers would die of the signal at once.
        """
        if self.signal is not None:
            end_group(self.process.pid)
        self.signal = self.signal or number
        ask(self.process, number)

    def stop(self) -> None:
        """Ask once for an orderly end."""
        if not self.stopped:
            self.stopped = True
            ask(self.process, signal.SIGTERM)


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code (128 + n after signal n), whether `should_prune` stopped it, and the signal passed on."""

    exit_code: int
    stopped: bool
    signal: int | None


def run_child(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
    should_prune: Callable[[], bool],
    start: Callable[[Sequence[str], Path, Mapping[str, str], IO[bytes]], Process] = popen,
) -> Ended:
    """Run a command to its end in a process group of its own; no process of the group is left, even if this one is killed.

    Args:
        command: to execute; it is to call `end_with_parent` early.
        folder: to run it in.
        environment: of the process.
        log: takes what it prints, after what is there.
        should_prune: asked twice a second; once it says True, the process is asked to end.
        start: starts it, as `popen` does.
    """
    with log.open("ab") as output:
        process = start(command, folder, {**environment, LIFELINE_VARIABLE: "1", "PYTHONIOENCODING": "utf-8"}, output)
    child = Child(process)
    try:
        with passing_signals_to(child):
            code = _wait(child, should_prune)
    finally:
        end_group(process.pid)
        process.wait()
        _close(process)
    return Ended(128 - code if code < 0 else code, child.stopped, child.signal)


@contextlib.contextmanager
def passing_signals_to(child: Child) -> Iterator[None]:
    """Pass SIGINT and SIGTERM on meanwhile (only the main thread can)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, child.forward) for number in STOPPING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _wait(child: Child, should_prune: Callable[[], bool]) -> int:
    while True:
        try:
            return child.process.wait(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            if not child.stopped and should_prune():
                child.stop()


def _close(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()


def end_with_parent() -> None:
    """Kill this process group when the process that started it through `run_child` is gone; without one, do nothing."""
    if os.environ.pop(LIFELINE_VARIABLE, None) is None:  # those started from here are in the group, and have no such pipe
        return
    lifeline, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # whoever reads standard input finds its end, and no signals
    os.close(nothing)
    threading.Thread(target=_follow, args=(lifeline,), daemon=True).start()


def _follow(lifeline: int) -> None:
    heed(lifeline)
    end_own_group()
