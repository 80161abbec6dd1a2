"""Try many cases, each in a process of its own with a time limit, and count those that hold."""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from machine.system import has_groups

SECONDS, MB = 60, 2.0**-10


class BrokenError(Exception):
    """What was promised did not hold; the message says what."""


@dataclass
class Tally:
    """How many cases were tried, which did not hold and why, the most memory and the most time that one took."""

    kind: str
    tried: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    most_mb: float = 0.0
    slowest_seconds: float = 0.0

    @property
    def held(self) -> int:
        """How many cases held."""
        return self.tried - len(self.broken)

    def line(self) -> str:
        """Say all of it in a line."""
        return (
            f"{self.kind}: tried {self.tried}, held {self.held}; most memory above the start {self.most_mb:.0f} MB, "
            f"slowest {self.slowest_seconds:.1f} s"
        )


def count_held(kind: str, cases: Iterable[tuple[str, Callable[[], None]]], folder: Path) -> Tally:
    """Try cases by name; one holds that returns in time.

    Args:
        kind: of the cases.
        cases: a name and what to do; it raises if something promised did not hold.
        folder: for what a case says.
    """
    if not has_groups():
        raise SystemExit("error: what is tried here may end its process, so it is done in forks, which only POSIX systems have")
    tally = Tally(kind)
    for name, case in cases:
        started = time.monotonic()
        reason, mb = _tried(case, folder / "said.txt")
        tally.tried += 1
        tally.most_mb = max(tally.most_mb, mb)
        tally.slowest_seconds = max(tally.slowest_seconds, time.monotonic() - started)
        if reason:
            tally.broken[name] = reason
            print(f"not held: {name}: {reason}", flush=True)
    return tally


def _tried(case: Callable[[], None], said: Path) -> tuple[str, float]:
    """Carry out a case in a fork; return why it did not hold, if so, and the MB it took beyond those of its start."""
    _started(said).write_text(str(_resident_kib()), encoding="utf-8")
    process = os.fork()
    if process == 0:
        _in_child(case, said)
    late = _waits(process)
    if late:
        os.kill(process, signal.SIGKILL)
    _, status, usage = os.wait4(process, 0)
    mb = max(0.0, (usage.ru_maxrss - int(_started(said).read_text(encoding="utf-8"))) * MB)
    if late:
        return f"still at work after {SECONDS} s", mb
    return said.read_text(errors="replace", encoding="utf-8").strip() if status else "", mb


def _started(said: Path) -> Path:
    """Return the file that holds the KiB of a process at its start."""
    return said.with_name("started.txt")


def _resident_kib() -> int:
    import resource

    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize() // 1024


def _in_child(case: Callable[[], None], said: Path) -> None:
    said.write_text("the process ended without a word", encoding="utf-8")
    _started(said).write_text(str(_resident_kib()), encoding="utf-8")
    try:
        case()
    except BaseException as error:
        told = str(error) if isinstance(error, BrokenError) else "".join(traceback.format_exception(error)[-3:])
        said.write_text(told, encoding="utf-8")
        sys.stdout.flush()
        os._exit(1)
    os._exit(0)


def _waits(process: int) -> bool:
    """Wait for the end of a process, and say whether it did not come in time."""
    limit = time.monotonic() + SECONDS
    while time.monotonic() < limit:
        if os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        time.sleep(0.01)
    return True
