"""SIGINT and SIGTERM end a script within ten seconds, whatever it is at: first in order, then anywhere.

What is on disk is whole at any moment, as everything is written beside its place and then renamed. So nothing is lost, wherever
the work is left.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from machine.system import STOPPING, in_forked_children

LIMIT_SECONDS = 9.0
"""After which the process ends even within a single call that does not return."""
AT_ONCE_SECONDS = 1.0
"""The same after a second signal."""


class Interrupted(BaseException):
    """A signal ends the work.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.number = number


def end_process(number: int) -> None:
    """End this process at once, with a sentence and exit code 128 + n; neither waits for a lock that the work holds."""
    with contextlib.suppress(OSError):
        os.write(2, f"{Interrupted(number)}, in the middle of what could not be stopped otherwise\n".encode())
    os._exit(128 + number)


class SignalGuard:
    """While entered, SIGINT and SIGTERM raise `Interrupted` in the main thread, and end a process that does not heed them.

    Python tells the main thread of a signal between two of its instructions only, which a single call into PyTorch can put off
    for minutes. A thread hears of it at once, through the descriptor that Python writes signals to.

    Args:
        limit_seconds: see `LIMIT_SECONDS`.
    """

    def __init__(self, limit_seconds: float = LIMIT_SECONDS) -> None:
        self._limit_seconds, self._end = limit_seconds, end_process
        self._before: dict[int, Any] = {}
        self._descriptor_before = -1
        self._heard = False

    def __enter__(self) -> "SignalGuard":
        """Take over the signals (only the main thread may)."""
        if threading.current_thread() is threading.main_thread():
            listening, self._told = socket.socketpair()
            self._told.setblocking(False)
            self._before = {number: signal.signal(number, self._raise) for number in STOPPING}
            self._descriptor_before = signal.set_wakeup_fd(self._told.fileno(), warn_on_full_buffer=False)
            in_forked_children(self._leave_forked)
            threading.Thread(target=self._listen, args=(listening,), daemon=True).start()
        return self

    def __exit__(self, *failure: object) -> None:
        """Give the signals back; once one was heard, the limit holds for what the interpreter still does at its end."""
        if self._before:
            signal.set_wakeup_fd(self._descriptor_before)
            for number, handler in self._before.items():
                signal.signal(number, handler)
            self._before = {}
            if not self._heard:
                self._told.close()

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self._heard = True
        raise Interrupted(number)

    def _listen(self, listening: socket.socket) -> None:
        with listening:
            number = _next_signal(listening, None)
            if number is None:
                return
            self._heard = True
            deadline = time.monotonic() + self._limit_seconds
            if _next_signal(listening, deadline) is not None:
                _next_signal(listening, min(deadline, time.monotonic() + AT_ONCE_SECONDS))
            self._end(number)

    def _leave_forked(self) -> None:
        """Let a forked data worker survive the first signal, which a whole process group gets: its parent ends it in order."""
        if self._before:
            signal.set_wakeup_fd(-1)
            for number in STOPPING:
                signal.signal(number, _ignored_once)


def heeding_signals(work: Callable[[], int], left: str) -> int:
    """Do a script's work under the guard and return its exit code: after signal n, 128 + n and a sentence on stderr.

    Args:
        work: returns the exit code of a script that no signal ends.
        left: what the sentence says of what is done by then.
    """
    with SignalGuard():
        try:
            return work()
        except Interrupted as ended:
            print(f"{ended}; {left}", file=sys.stderr)
            return 128 + ended.number


def _ignored_once(number: int, frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_DFL)


def _next_signal(listening: socket.socket, deadline: float | None) -> int | None:
    """Return the next of our signals that arrives before a moment of the monotonic clock; None if none does, or none can."""
    while True:
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            return None
        listening.settimeout(left)
        try:
            told = listening.recv(1)
        except TimeoutError:
            return None
        if not told or told[0] in STOPPING:
            return told[0] if told else None
