"""Read parts of many files, of which a bounded number stays open."""

import functools
import os
from pathlib import Path

from machine.system import read_at

_MOST_OPEN = 128  # A process has about a thousand descriptors.


def read_part(path: Path, start: int, end: int) -> bytes:
    """Return the bytes [start, end) of a file, fewer only where it ends before.

    Files are read and not mapped: what is read does not stay in the process, and a file that is cut short meanwhile ends nothing.

    Raises:
        OSError: if it cannot be opened or read.
    """
    return _opened(path).read(start, end)


def close_parts() -> None:
    """Close all files, so that those that have been replaced are opened anew, and Windows can replace them."""
    _opened.cache_clear()


class _OpenFile:
    """A descriptor that is closed when nobody reads from it any more."""

    def __init__(self, path: Path) -> None:
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes [start, end), fewer where the file ends before."""
        return read_at(self._descriptor, end - start, start)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)


@functools.lru_cache(_MOST_OPEN)
def _opened(path: Path) -> _OpenFile:
    return _OpenFile(path)
