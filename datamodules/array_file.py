"""Files of one array each whose damage is found: a NumPy file, followed by checksums of its blocks and a seal.

`numpy.load` reads them too. The seal is checked when a file is opened, each block when it is read for the first time, so that
opening costs the same however long the array is.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from datamodules.identity import Identity

BLOCK_BYTES = 1 << 16
"""What a checksum covers; a window of 16,384 samples touches one or two."""

_SEAL = struct.Struct("<8s I Q q 16s 16s I")  # Mark, bytes of header and data, the source's three facts, checksum.
_MARK = b"clarion2"
_CHECKSUM_BYTES = 4


class DamagedArrayError(Exception):
    """A file that does not hold what was written; the message says what is wrong."""


class ArrayFile:
    """A whole file of an array (T, C), mapped into memory.

    Attributes:
        path: of the file.
        array: the samples; `frames` returns checked ones.
        source: what it was made from.
    """

    def __init__(self, path: Path) -> None:
        """Map a file after checking its kind, length and seal.

        Raises:
            DamagedArrayError: if it is not what `ArrayWriter` wrote.
            OSError: if it cannot be opened.
        """
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise DamagedArrayError("is not a regular file")
        self.path = path
        with open(path, "rb") as stream:
            header, self._checksums, self.source = _read_seal(stream)
        dtype, shape = _parse(header)
        self.array = np.empty(shape, dtype)
        if self.array.size:
            self.array = np.memmap(path, dtype, "r", len(header), shape)
        self._verified = bytearray(len(self._checksums))

    def frames(self, start: int, count: int) -> np.ndarray:
        """Return (count, C) from frame `start` on.

        Raises:
            DamagedArrayError: if a block of it has another checksum than when it was written.
        """
        frame_bytes = self.array.shape[1] * self.array.itemsize
        first, last = start * frame_bytes // BLOCK_BYTES, ((start + count) * frame_bytes - 1) // BLOCK_BYTES
        if 0 in self._verified[first : last + 1]:
            self._verify(first, last)
        part: np.ndarray = self.array[start : start + count]
        return part

    def _verify(self, first: int, last: int) -> None:
        content = self.array.reshape(-1).view(np.uint8)
        for block in range(first, min(last + 1, len(self._checksums))):
            if zlib.crc32(content[block * BLOCK_BYTES : (block + 1) * BLOCK_BYTES].data) != self._checksums[block]:
                raise DamagedArrayError(f"has changed in the {BLOCK_BYTES} bytes of block {block}")
            self._verified[block] = 1


class ArrayWriter:
    """Write an array (T, C) whose length is known only at the end.

    Writing through a memory map would be simpler, but a full disk would then kill the process with SIGBUS.

    Args:
        stream: an empty file.
        channels: C.
        dtype: NumPy's name of the type.
    """

    def __init__(self, stream: BinaryIO, channels: int, dtype: str) -> None:
        """Leave room for the header."""
        self._stream, self._channels, self._dtype = stream, channels, dtype
        self._checksums: list[int] = []
        self._open_block = 0  # Checksum of the block that is not full yet.
        self._bytes = self._frames = 0
        self._header_bytes = stream.write(_header(0, channels, dtype))

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
        """Write checksums, seal and header."""
        if self._bytes % BLOCK_BYTES:
            self._end_block()
        header = _header(self._frames, self._channels, self._dtype)
        table = np.asarray(self._checksums, "<u4").tobytes()
        self._stream.write(table)
        self._stream.write(_sealed(header, table, self._bytes, source))
        self._stream.seek(0)
        self._stream.write(header)

    def _end_block(self) -> None:
        self._checksums.append(self._open_block)
        self._open_block = 0


def reseal(path: Path, source: Identity) -> None:
    """Write into the seal of a whole file that its source is the same although the system's time of change is another.

    Raises:
        DamagedArrayError: if it is not whole.
        OSError: if it cannot be written to.
    """
    with open(path, "r+b") as stream:
        header, checksums, _ = _read_seal(stream)
        table = np.asarray(checksums, "<u4").tobytes()
        data_bytes = stream.seek(-_SEAL.size, os.SEEK_END) - len(table) - len(header)
        stream.write(_sealed(header, table, data_bytes, source))


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


def _read_seal(stream: BinaryIO) -> tuple[bytes, list[int], Identity]:
    """Return header, checksums of the blocks and source of a file whose seal is whole."""
    size = stream.seek(0, os.SEEK_END)
    if size < _SEAL.size:
        raise DamagedArrayError("is too short")
    stream.seek(size - _SEAL.size)
    seal = stream.read(_SEAL.size)
    mark, header_bytes, data_bytes, changed_ns, sample, digest, _ = _SEAL.unpack(seal)
    if mark != _MARK:
        raise DamagedArrayError("has no checksums: it is truncated, of another kind or of an earlier version")
    table_bytes = _CHECKSUM_BYTES * -(-data_bytes // BLOCK_BYTES)
    if size != header_bytes + data_bytes + table_bytes + _SEAL.size:
        raise DamagedArrayError("has another length than when it was written")
    stream.seek(0)
    header = stream.read(header_bytes)
    stream.seek(header_bytes + data_bytes)
    table = stream.read(table_bytes)
    source = Identity(changed_ns, sample, digest)
    if _sealed(header, table, data_bytes, source) != seal:
        raise DamagedArrayError("has another header or other checksums than when it was written")
    return header, np.frombuffer(table, "<u4").tolist(), source
