"""Arrays in files whose damage is found: what NumPy writes, followed by checksums of its blocks and a seal.

A file may hold several of them, one behind the other (`shard_file`). The seal is checked when an array is opened, each block when
it is read for the first time, so that opening costs the same however long the array is.
"""

import os
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from datamodules.identity import Identity
from machine.parts import read_part

BLOCK_BYTES = 1 << 16
"""What a checksum covers; a window of 16,384 samples touches one or two."""

_SEAL = struct.Struct("<8s I Q q 16s 16s I")  # Mark, bytes of header and data, the source's three facts, checksum.
_MARK = b"clarion2"
_CHECKSUM_BYTES = 4


class DamagedArrayError(Exception):
    """A file that does not hold what was written; the message says what is wrong."""


@dataclass(frozen=True)
class Place:
    """Where an array lies.

    Attributes:
        path: of the file that holds it, with others or alone.
        start: its first byte.
        end: the byte behind its seal.
    """

    path: Path
    start: int
    end: int


class ArrayFile:
    """A whole array (T, C) in a file; parts of it are read when they are asked for.

    Attributes:
        place: where it lies.
        shape: T and C.
        dtype: of the samples.
        source: what it was made from.
    """

    def __init__(self, place: Place) -> None:
        """Check length and seal.

        Raises:
            DamagedArrayError: if it is not what `ArrayWriter` wrote.
            OSError: if the file cannot be read.
        """
        self.place = place
        header, self._checksums, self.source = _read_seal(place)
        self.dtype, self.shape = _parse(header)
        self._first_byte = place.start + len(header)
        self._verified = bytearray(len(self._checksums))

    def frames(self, start: int, count: int) -> np.ndarray:
        """Return (count, C) from frame `start` on.

        Raises:
            DamagedArrayError: if a block of it has another checksum than when it was written.
            OSError: if the file cannot be read.
        """
        frame_bytes = self.shape[1] * self.dtype.itemsize
        first, end = start * frame_bytes, (start + count) * frame_bytes
        blocks = range(first // BLOCK_BYTES, -(-end // BLOCK_BYTES))
        if 0 in self._verified[blocks.start : blocks.stop]:
            content = self._checked(blocks)[first - blocks.start * BLOCK_BYTES :][: end - first]
        else:
            content = self._read(first, end)
        return np.frombuffer(content, self.dtype).reshape(count, self.shape[1])

    def _checked(self, blocks: range) -> memoryview:
        last = self.shape[0] * self.shape[1] * self.dtype.itemsize
        content = self._read(blocks.start * BLOCK_BYTES, min(blocks.stop * BLOCK_BYTES, last))
        for number, block in enumerate(blocks):
            if zlib.crc32(content[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES]) != self._checksums[block]:
                raise DamagedArrayError(f"has changed in the {BLOCK_BYTES} bytes of block {block}")
            self._verified[block] = 1
        return content

    def _read(self, first: int, end: int) -> memoryview:
        content = read_part(self.place.path, self._first_byte + first, self._first_byte + end)
        if len(content) < end - first:
            raise DamagedArrayError("is shorter than when it was opened")
        return memoryview(content)


class ArrayWriter:
    """Write an array (T, C) whose length is known only at the end.

    Writing through a memory map would be simpler, but a full disk would then kill the process with SIGBUS.

    Args:
        stream: a file; what follows in it is the array.
        channels: C.
        dtype: NumPy's name of the type.
    """

    def __init__(self, stream: BinaryIO, channels: int, dtype: str) -> None:
        """Leave room for the header."""
        self._stream, self._channels, self._dtype = stream, channels, dtype
        self._checksums: list[int] = []
        self._open_block = 0  # Checksum of the block that is not full yet.
        self._bytes = self._frames = 0
        self._start = stream.tell()
        stream.write(_header(0, channels, dtype))

    def append(self, frames: np.ndarray) -> None:
        """Write (n, C) of the asked type."""
        content = memoryview(np.ascontiguousarray(frames).tobytes())
        self._stream.write(content)
        self._frames += len(frames)
        while content:
            part = content[: BLOCK_BYTES - self._bytes % BLOCK_BYTES]
            self._open_block = zlib.crc32(part, self._open_block)
            self._bytes += len(part)
            if self._bytes % BLOCK_BYTES == 0:
                self._end_block()
            content = content[len(part) :]

    def finish(self, source: Identity) -> None:
        """Write checksums, seal and header, and go behind the seal."""
        if self._bytes % BLOCK_BYTES:
            self._end_block()
        header = _header(self._frames, self._channels, self._dtype)
        table = np.asarray(self._checksums, "<u4").tobytes()
        self._stream.write(table)
        self._stream.write(_sealed(header, table, self._bytes, source))
        end = self._stream.tell()
        self._stream.seek(self._start)
        self._stream.write(header)
        self._stream.seek(end)

    def _end_block(self) -> None:
        self._checksums.append(self._open_block)
        self._open_block = 0


def reseal(place: Place, source: Identity) -> None:
    """Write into the seal of a whole array that its source is the same although the system's time of change is another.

    The file keeps its time of modification, by which `CacheIndex` knows arrays that were made again from those that are older.

    Raises:
        DamagedArrayError: if it is not whole.
        OSError: if it cannot be written to.
    """
    header, checksums, _ = _read_seal(place)
    table = checksums.tobytes()
    data_bytes = place.end - place.start - _SEAL.size - len(table) - len(header)
    with open(place.path, "r+b") as stream:
        state = os.fstat(stream.fileno())
        stream.seek(place.end - _SEAL.size)
        stream.write(_sealed(header, table, data_bytes, source))
    os.utime(place.path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _header(frames: int, channels: int, dtype: str) -> bytes:
    """Return a NumPy header; NumPy pads it so that a growing length still fits into the same bytes."""
    described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": (frames, channels)}
    stream = BytesIO()
    np.lib.format.write_array_header_1_0(stream, described)
    return stream.getvalue()


def _parse(header: bytes) -> tuple[np.dtype, tuple[int, ...]]:
    stream = BytesIO(header)
    np.lib.format.read_magic(stream)
    shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    return dtype, shape


def _sealed(header: bytes, table: bytes, data_bytes: int, source: Identity) -> bytes:
    facts = (_MARK, len(header), data_bytes, source.changed_ns, source.sample, source.digest)
    return _SEAL.pack(*facts, _checksum([header, table, _SEAL.pack(*facts, 0)]))


def _checksum(parts: Iterable[bytes]) -> int:
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return checksum


def _read_seal(place: Place) -> tuple[bytes, np.ndarray, Identity]:
    """Return header, checksums of the blocks and source of an array whose seal is whole."""
    size = place.end - place.start
    seal = read_part(place.path, max(place.start, place.end - _SEAL.size), place.end)
    if len(seal) < _SEAL.size:
        raise DamagedArrayError("is too short")
    mark, header_bytes, data_bytes, changed_ns, sample, digest, _ = _SEAL.unpack(seal)
    if mark != _MARK:
        raise DamagedArrayError("has no checksums: it is truncated, of another kind or of an earlier version")
    table_bytes = _CHECKSUM_BYTES * -(-data_bytes // BLOCK_BYTES)
    if size != header_bytes + data_bytes + table_bytes + _SEAL.size:
        raise DamagedArrayError("has another length than when it was written")
    header = read_part(place.path, place.start, place.start + header_bytes)
    table = read_part(place.path, place.start + header_bytes + data_bytes, place.end - _SEAL.size)
    source = Identity(changed_ns, sample, digest)
    if _sealed(header, table, data_bytes, source) != seal:
        raise DamagedArrayError("has another header or other checksums than when it was written")
    return header, np.frombuffer(table, "<u4"), source
