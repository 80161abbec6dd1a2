"""What POSIX systems and Windows do each in their own way: groups of processes, their end, processors and memory.

All that users run asks here for what one of them lacks. What is missing is looked for when it is needed, so this file can be
imported everywhere; benchmarks that need Linux alone name it themselves, within their functions.
"""

import contextlib
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import IO, Any, Protocol

KILLED = 9
"""Number of the signal that no process can refuse; Windows has no name for it."""
_SEEKING = threading.Lock()
STOPPING = (signal.SIGINT, signal.SIGTERM)
"""Signals that ask for an orderly end. On Windows nobody sends the second one but this project; see `ask`."""


class Process(Protocol):
    """What is used of a `subprocess.Popen`."""

    pid: int
    stdin: IO[bytes] | None

    def poll(self) -> int | None:
        """Return the exit code, -n after signal n; None as long as the process runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit code, or raise `subprocess.TimeoutExpired`."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal, unless the process has ended."""


def has_groups() -> bool:
    """Say whether a signal can be sent to a process and to all that it has started, as POSIX systems can."""
    return hasattr(os, "killpg")


def read_at(descriptor: int, count: int, start: int) -> bytes:
    """Read from a place in a file, without a position, which processes that were forked would share; Windows forks none."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, count, start)
    with _SEEKING:
        os.lseek(descriptor, start, os.SEEK_SET)
        return os.read(descriptor, count)


def takes_few_names() -> bool:
    """Say whether this system refuses names that others store; see `names.unstorable`."""
    return os.name == "nt"


def own_group() -> dict[str, Any]:
    """Return the arguments of `subprocess.Popen` that give a process a group of its own, out of reach of Ctrl-C."""
    return {"start_new_session": True} if has_groups() else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}


def ask(process: Process, number: int) -> None:
    """Send a signal to a process.

    Windows would end the process instead. There the number goes through the pipe that is the process's standard input, where
    `heed` waits for it.
    """
    if has_groups():
        process.send_signal(number)
    elif process.stdin is not None and process.poll() is None:
        with contextlib.suppress(OSError):
            os.write(process.stdin.fileno(), bytes([number]))


def heed(pipe: int) -> None:
    """Raise in this process every signal that `ask` sends through a pipe, and return at the end of the pipe."""
    while number := os.read(pipe, 1):
        signal.raise_signal(signal.Signals(number[0]))


def end_group(leader: int) -> None:
    """Kill what is left of a process group; Windows finds the members only as long as their leader lives."""
    if has_groups():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, KILLED)
    else:
        with contextlib.suppress(OSError):
            subprocess.run(["taskkill", "/F", "/T", "/PID", str(leader)], capture_output=True)


def end_own_group() -> None:
    """Kill this process and the others of its group."""
    if has_groups():
        os.killpg(0, KILLED)
    end_group(os.getpid())
    os._exit(128 + KILLED)


def can_fork_late() -> bool:
    """Say whether a process that has imported much may fork and go on, as on Linux: macOS refuses it to many libraries."""
    return sys.platform == "linux"


def fork_group() -> int:
    """Fork; return 0 in the child, which leads a group of its own, and the child's number in the parent."""
    child = os.fork()
    if child == 0:
        os.setsid()
    return child


def tell(process: int, number: int) -> None:
    """Send a signal to a process by its number, if it is there."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def in_forked_children(work: Callable[[], None]) -> None:
    """Have something done at the start of every process that this one forks; Windows forks none."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=work)


def on_alarm(handler: Callable[[int, FrameType | None], None]) -> dict[int, Any]:
    """Call a handler when `set_alarm` is over; return the handler before by number of the signal, nothing without alarms."""
    if not hasattr(signal, "SIGALRM"):
        return {}
    return {signal.SIGALRM: signal.signal(signal.SIGALRM, handler)}


def set_alarm(seconds: float) -> None:
    """Have the handler of `on_alarm` called once after so many seconds; 0 takes that back, and there may be no alarms."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def usable_processors() -> int:
    """Return how many processors this process may use; where a system does not tell, how many there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_average() -> float:
    """Return how many processes have waited or worked over the last minute; NaN on Windows, which does not count them."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else math.nan


def peak_memory_mib() -> float:
    """Return the most memory that this process has held; NaN on Windows, which is not asked."""
    try:
        import resource
    except ImportError:
        return math.nan
    return _mib(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def wait_for_peak_memory_mib(process: subprocess.Popen[bytes]) -> float:
    """Wait for the end of a process and return the most memory that it has held; NaN on Windows, which is not asked."""
    if not hasattr(os, "wait4"):
        process.wait()
        return math.nan
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return _mib(usage.ru_maxrss)


def _mib(peak: int) -> float:
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10  # bytes there, KiB elsewhere
