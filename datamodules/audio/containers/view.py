"""Show a part of a file, with some bytes replaced, as if it were a file of its own."""

import io
import os
from collections.abc import Mapping
from typing import Any


class FileView(io.RawIOBase):
    """Read bytes `start` to `end` of a file; nothing on the disk is changed.

    Args:
        path: the file.
        start: position of the first byte shown.
        end: position behind the last byte shown; None is the end of the file.
        patches: bytes shown in place of those of the file, by their position in the file.
        prefix: bytes shown before the part.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        start: int = 0,
        end: int | None = None,
        patches: Mapping[int, bytes] | None = None,
        prefix: bytes = b"",
    ) -> None:
        super().__init__()
        self._file = open(path, "rb")  # noqa: SIM115 - closed with the view
        self._prefix, self._start, self._position = prefix, start - len(prefix), 0
        self._size = (os.fstat(self._file.fileno()).st_size if end is None else end) - self._start
        self._patches = dict(patches or {})

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that any position can be reached."""
        return True

    def tell(self) -> int:
        """Return the position within the part."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position of the part; see `io.IOBase.seek`."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the part goes and return the number of bytes."""
        if self._position < len(self._prefix):
            content = self._prefix[self._position : self._position + len(buffer)]
            buffer[: len(content)] = content
            self._position += len(content)
            return len(content)
        return self._read_file(buffer)

    def _read_file(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._size - self._position))
        first = self._start + self._position
        self._file.seek(first)
        content = bytearray(self._file.read(wanted))
        for place, patch in self._patches.items():
            for offset, byte in enumerate(patch, start=place - first):
                if 0 <= offset < len(content):
                    content[offset] = byte
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        """Close the file below."""
        self._file.close()
        super().close()
