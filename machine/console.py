"""Printing that never ends the work: signs that a stream lacks become ASCII, and what nobody reads any more goes nowhere."""

import codecs
import errno
import io
import os
import sys
from typing import Any

ERRORS = "clarion.signs"
"""Name by which Python finds `_shown` as the way to treat what an encoding lacks."""
SIGNS = {
    "▼": "-", "▽": "-", "✓": "+", "✗": "x", "•": "*", "≈": "~", "±": "+-", "×": "x",
    "↑": "^", "↓": "v", "→": "->", "←": "<-", "–": "-", "—": "-", "…": "...", "−": "-", "≤": "<=", "≥": ">=", "µ": "u",
}  # fmt: skip
"""What stands for a sign where it cannot be shown: better, worse and best control stay apart in a table."""
GONE = frozenset({errno.EPIPE, errno.EINVAL, errno.EIO})
"""What the system says of a stream that nobody reads any more: a pipe, a pipe on Windows, a terminal."""


def _shown(error: UnicodeError) -> tuple[str, int]:
    """Return what is written in place of characters that an encoding lacks: a sign of ASCII, else an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(SIGNS.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in letters), error.end


class SteadyStream(io.TextIOWrapper):
    """A stream that is led to nowhere once nobody reads it."""

    def write(self, text: str) -> int:
        """Write, or let it be."""
        try:
            return super().write(text)
        except OSError as error:
            self._lead_to_nowhere(error)
            return len(text)

    def flush(self) -> None:
        """Write out what is held back, or let it be."""
        try:
            super().flush()
        except OSError as error:
            self._lead_to_nowhere(error)

    def _lead_to_nowhere(self, error: OSError) -> None:
        if error.errno not in GONE:
            raise error
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)


def steady_streams() -> None:
    """Replace this process's own standard output and error by steady ones; what others have put in their place stays."""
    codecs.register_error(ERRORS, _shown)
    if sys.stdout is sys.__stdout__:
        sys.stdout = _steady(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = _steady(sys.stderr)


def _steady(stream: Any) -> Any:
    if not isinstance(stream, io.TextIOWrapper):  # None under pythonw
        return stream
    stream.flush()
    return SteadyStream(
        stream.buffer, stream.encoding, ERRORS, line_buffering=stream.line_buffering, write_through=stream.write_through
    )


def printable(text: object) -> str:
    r"""Return a text with everything that is not to be seen written as an escape.

    Those are line breaks and other control characters, invisible marks such as those that turn the direction of writing, and the
    bytes of a file name that are no characters.

    >>> print(printable("a\nb\x1b[31m.wav"))
    a\nb\x1b[31m.wav
    >>> printable("Čekám na déšť.flac")
    'Čekám na déšť.flac'
    """
    shown = str(text)
    if shown.isprintable():
        return shown
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in shown)


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
