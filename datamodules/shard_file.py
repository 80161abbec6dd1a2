"""Files that hold many arrays: one behind the other, then a directory with the place of each, and its checksum.

A shard is written once and never added to. What has to be made again goes into a shard of its own.
"""

import contextlib
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from datamodules.array_file import DamagedArrayError, Place

SUFFIX = ".shard"
KEY_BYTES = 20

_ENTRY = struct.Struct(f"<{KEY_BYTES}s Q Q")  # Key, first byte and the byte behind it.
_END = struct.Struct("<8s Q I I")  # Mark, size of the whole file, number of entries, checksum of directory and end.
_MARK = b"clarion3"


class ShardWriter:
    """Write arrays into a file.

    Args:
        stream: an empty file.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Start with nothing in it."""
        self._stream = stream
        self._entries: list[bytes] = []

    @property
    def count(self) -> int:
        """Return how many arrays there are."""
        return len(self._entries)

    @contextlib.contextmanager
    def entry(self, key: str) -> Iterator[BinaryIO]:
        """Hand out the stream for one array; on a failure what was written of it is taken back.

        Args:
            key: hexadecimal, of `KEY_BYTES`.
        """
        start = self._stream.tell()
        try:
            yield self._stream
        except BaseException:
            self._stream.seek(start)
            self._stream.truncate()
            raise
        self._entries.append(_ENTRY.pack(bytes.fromhex(key), start, self._stream.tell()))

    def finish(self) -> None:
        """Write the directory."""
        directory = b"".join(self._entries)
        size = self._stream.tell() + len(directory) + _END.size
        self._stream.write(directory + _end(size, directory))


def read_directory(path: Path) -> dict[str, Place]:
    """Return the places of the arrays of a shard by their keys.

    Raises:
        DamagedArrayError: if it is not what `ShardWriter` wrote.
        OSError: if it cannot be read.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise DamagedArrayError("is not a regular file")
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _END.size))
        end = stream.read()
        mark, told, count, _ = _END.unpack(end) if len(end) == _END.size else (b"", 0, 0, 0)
        if mark != _MARK or told != size or count * _ENTRY.size + _END.size > size:
            raise DamagedArrayError("is truncated, of another kind or of another length than when it was written")
        stream.seek(size - _END.size - count * _ENTRY.size)
        directory = stream.read(count * _ENTRY.size)
    if _end(size, directory) != end:
        raise DamagedArrayError("has another directory than when it was written")
    return {key.hex(): Place(path, first, last) for key, first, last in _ENTRY.iter_unpack(directory)}


def _end(size: int, directory: bytes) -> bytes:
    count = len(directory) // _ENTRY.size
    return _END.pack(_MARK, size, count, zlib.crc32(_END.pack(_MARK, size, count, 0), zlib.crc32(directory)))
