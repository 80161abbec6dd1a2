"""Catch what C libraries print on the process's error output, and tell it once, in a sentence with the file's name.

libmpg123 prints a line for every damaged frame (up to 89 for one file) and no name. The lines are taken out of file descriptor 2
while a library works; whatever else is written there meanwhile goes on to where it was meant to go.
"""

import contextlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from datamodules.audio.suffixes import has_suffix
from machine.console import printable

_LINE = re.compile(
    rb"(?:(?<=\n)\n|\A\n)?\[(?:src/)?libmpg123/[^\n]*\n?"  # begins with an empty line
    rb"|(?:Note|Warning): (?:Illegal|Trying|Skipped|Xing|missing|Hit)[^\n]*\n?"
)
_TALKATIVE_SUFFIXES = frozenset({".mp3", ".mp2", ".mp1"})
_READ_BYTES = 1 << 16

log = logging.getLogger(__name__)


@contextlib.contextmanager
def library_lines_named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Catch lines of the libraries that decode a file; afterwards say how many there were, and the first.

    Args:
        path: the file that is decoded meanwhile.
    """
    if not has_suffix(path, _TALKATIVE_SUFFIXES):
        yield
        return
    caught = _Caught()
    with _SHARED.listening(caught):
        yield
    lines = [line.strip().decode("utf-8", "replace") for line in caught.lines]
    if lines:
        decoder = "its decoder, or that of a file read at the same time," if caught.with_others else "its decoder"
        more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
        tell_once(path, f"{decoder} met damage: {lines[0]}{more}", "damage")


def tell_once(path: str | os.PathLike[str], sentence: str, kind: str = "") -> None:
    """Log a warning about a file, and none of its kind again.

    Args:
        path: the file.
        sentence: what is to be said.
        kind: of the warning; by default the sentence itself.
    """
    if _is_new(os.fspath(path), kind or sentence):
        log.warning("%s: %s", printable(path), sentence)


def is_told_of(path: str | os.PathLike[str]) -> bool:
    """Say whether there was a warning about a file in this process."""
    return os.fspath(path) in _TOLD


_TOLD: dict[str, set[str]] = {}


def _is_new(path: str, kind: str) -> bool:
    kinds = _TOLD.setdefault(path, set())
    is_new = kind not in kinds
    kinds.add(kind)
    return is_new


@dataclass(eq=False)
class _Caught:
    """What one listener hears, and whether others listened meanwhile, so that the lines may be about their files."""

    lines: list[bytes] = field(default_factory=list)
    with_others: bool = False


class _Capture:
    """Replace file descriptor 2 by a pipe while anyone listens; a thread sorts what comes through."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: list[_Caught] = []
        self._close: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def listening(self, caught: _Caught) -> Iterator[None]:
        """Collect lines; who listens at the same time hears the same."""
        with self._lock:
            if not self._listeners:
                self._open()
            self._listeners.append(caught)
            if len(self._listeners) > 1:
                for listener in self._listeners:
                    listener.with_others = True
        try:
            yield
        finally:
            with self._lock:
                if len(self._listeners) == 1:
                    self._close()
                self._listeners = [listener for listener in self._listeners if listener is not caught]

    def _open(self) -> None:
        try:
            saved = os.dup(2)
        except OSError:  # There is no error output.
            self._close = lambda: None
            return
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        pump = threading.Thread(target=self._pump, args=(reading, saved), daemon=True)
        pump.start()

        def close() -> None:
            os.dup2(saved, 2)
            os.close(writing)
            pump.join(_LONGEST_WAIT_SECONDS)
            os.close(saved)

        self._close = close

    def _pump(self, reading: int, saved: int) -> None:
        while content := os.read(reading, _READ_BYTES):
            for line in _LINE.findall(content):
                for listener in self._listeners:
                    listener.lines.append(line)
            if rest := _LINE.sub(b"", content):
                with contextlib.suppress(OSError):
                    os.write(saved, rest)
        os.close(reading)


_LONGEST_WAIT_SECONDS = 1.0
_SHARED = _Capture()
