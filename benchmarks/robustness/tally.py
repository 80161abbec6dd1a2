"""Try many cases, each in a process of its own with limits of time and memory, and count those that hold."""

import contextlib
import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from lightning_modules.runs.printing import short
from machine.console import printable
from machine.system import KILLED, end_group

SECONDS, MOST_MB, MB = 60, 300, 2.0**-10
"""A case may take so long, and so much memory above the normal one."""
HEADER = "| what | tried | held | most memory above a normal run (MB) | slowest (s) | which |\n|---|---|---|---|---|---|"
Case = Callable[[], None]


class BrokenError(Exception):
    """What was promised did not hold; the message says what."""


@dataclass
class Tally:
    """How many cases were tried, which did not hold and why, the most memory that one took, and the slowest."""

    kind: str
    tried: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    most_mb: float = 0.0
    slowest_seconds: float = 0.0
    slowest: str = ""

    @property
    def held(self) -> int:
        """How many cases held."""
        return self.tried - len(self.broken)

    def row(self) -> str:
        """Say all of it in a row of a table with `HEADER`."""
        numbers = f"{self.tried} | {self.held} | {self.most_mb:.0f} | {self.slowest_seconds:.1f}"
        return f"| {self.kind} | {numbers} | {short(printable(self.slowest), 100).replace('|', '/')} |"


def require(holds: bool, what: str) -> None:
    """Say that a case is broken.

    Raises:
        BrokenError: unless it holds.
    """
    if not holds:
        raise BrokenError(what)


def require_linux() -> None:
    """End this process with a sentence on other systems.

    Raises:
        SystemExit: unless this is Linux.
    """
    if not sys.platform.startswith("linux"):
        raise SystemExit(f"error: benchmarks.robustness needs Linux, for forks and /proc; this is {sys.platform}")


def count_held(kind: str, cases: Iterable[tuple[str, Case]], folder: Path, normal: Case, seconds: float = SECONDS) -> Tally:
    """Try cases by name; one holds that returns in time, and within `MOST_MB` of the memory that the normal one takes.

    Args:
        kind: of the cases.
        cases: a name and what to do; it raises if something promised did not hold.
        folder: for what a case says.
        normal: a case in which nothing is wrong.
        seconds: that a case may take.

    Raises:
        BrokenError: if the normal case is broken.
    """
    require_linux()
    tally, said = Tally(kind), folder / "said.txt"
    normal_mb = _normal_mb(normal, folder)
    for name, case in cases:
        started = time.monotonic()
        reason, mb = _tried(case, said, seconds)
        mb = max(0.0, mb - normal_mb)
        if not reason and mb > MOST_MB:
            reason = f"takes {mb:.0f} MB more than a normal run"
        tally.tried += 1
        tally.most_mb = max(tally.most_mb, mb)
        tally.slowest_seconds, tally.slowest = max((tally.slowest_seconds, tally.slowest), (time.monotonic() - started, name))
        if reason:
            tally.broken[name] = reason
            print(f"not held: {name}: {reason}", flush=True)
    return tally


def _normal_mb(normal: Case, folder: Path) -> float:
    """Return the MB of a normal case, once this process has imported what it needs.

    Raises:
        BrokenError: if it does not hold.
    """
    import_what(normal, folder)
    reason, mb = _tried(normal, folder / "said.txt", 10 * SECONDS)
    require(not reason, f"a normal run does not hold: {reason}")
    return mb


def import_what(needed_by: Case, folder: Path) -> None:
    """Import in this process what a case imports, so that those of its kind need not do so one by one.

    Args:
        needed_by: the case, which is tried in a process of its own.
        folder: for what it says.

    Raises:
        BrokenError: if it does not hold.
    """
    modules = folder / "modules.txt"

    def with_modules() -> None:
        needed_by()
        modules.write_text("\n".join(name for name in sys.modules if not name.startswith("__")), encoding="utf-8")

    reason, _ = _tried(with_modules, folder / "said.txt", 10 * SECONDS)
    require(not reason, f"a normal run does not hold: {reason}")
    for name in modules.read_text(encoding="utf-8").split("\n"):
        with contextlib.suppress(Exception):  # of packages that are only there once another one is
            importlib.import_module(name)


def _tried(case: Case, said: Path, seconds: float) -> tuple[str, float]:
    """Carry out a case in a fork; return why it did not hold, if so, and the MB it took beyond those of its start."""
    _started(said).write_text(str(_resident_kib()), encoding="utf-8")
    process = os.fork()
    if process == 0:
        _in_child(case, said)
    try:
        late = _waits(process, seconds)
    finally:
        os.kill(process, KILLED)  # as long as it has no group yet
        end_group(process)  # with what it has started, such as the workers of a training
        _, status, usage = os.wait4(process, 0)
    mb = max(0.0, (usage.ru_maxrss - int(_started(said).read_text(encoding="utf-8"))) * MB)
    if late:
        return f"still at work after {seconds:g} s", mb
    return said.read_text(errors="replace", encoding="utf-8").strip() if status else "", mb


def _started(said: Path) -> Path:
    """Return the file that holds the KiB of a process at its start."""
    return said.with_name("started.txt")


def _resident_kib() -> int:
    import resource

    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * resource.getpagesize() // 1024


def _in_child(case: Case, said: Path) -> None:
    os.setsid()
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


def _waits(process: int, seconds: float) -> bool:
    """Wait for the end of a process, and say whether it did not come in time."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if has_ended(process):
            return False
        time.sleep(0.01)
    return True


def has_ended(process: int) -> bool:
    """Say whether a child has come to its end; it is left to be waited for."""
    return os.waitid(os.P_PID, process, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
