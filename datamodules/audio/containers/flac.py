"""FLAC streams (RFC 9639): metadata blocks, and where the last frame ends, which a header need not tell."""

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = b"fLaC"
_STREAM_START = MAGIC + b"\x00\x00\x00\x22"  # followed by the content of STREAMINFO, 34 bytes
_LAST_BLOCK = 0x80
_STREAM_INFO_BYTES = 34
_TOTAL_PLACE = 10  # in STREAMINFO: 8 bytes whose lowest 36 bits are the number of samples
_TOTAL_MASK = (1 << 36) - 1
_TAIL_BYTES = 1 << 17
_BLOCK_SIZES = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)}, **{code: 256 << (code - 8) for code in range(8, 16)}}
_RATE_BYTES = {12: 1, 13: 2, 14: 2}


@dataclass(frozen=True)
class Stream:
    """One FLAC stream in a file.

    Attributes:
        start: where it begins.
        audio: where its first frame begins.
        total: samples that its header tells, 0 where it does not know.
        total_place: where this number stands: 8 bytes, of which it takes the lowest 36 bits.
        total_bytes: these bytes.
        block_samples: of a frame, where all have the same; else 0.
        longest_frame_bytes: 0 where it is not known.
    """

    start: int
    audio: int
    total: int
    total_place: int
    total_bytes: bytes
    block_samples: int
    longest_frame_bytes: int

    def with_total(self, samples: int) -> dict[int, bytes]:
        """Return the bytes to be replaced so that the header tells a number of samples."""
        value = int.from_bytes(self.total_bytes, "big") & ~_TOTAL_MASK | samples
        return {self.total_place: value.to_bytes(8, "big")}

    def is_outgrown_by(self, audio_bytes: int) -> bool:
        """Say whether there are more bytes than all its frames can take."""
        if not (self.total and self.block_samples and self.longest_frame_bytes):
            return False
        return audio_bytes > -(-self.total // self.block_samples) * self.longest_frame_bytes


def blocks(stream: BinaryIO, start: int) -> Iterator[tuple[int, bytes]]:
    """List the metadata blocks (type, content) of the stream that begins at a position; ends before the first frame."""
    stream.seek(start + len(MAGIC))
    last = 0
    while not last:
        head = stream.read(4)
        if len(head) < 4:
            raise ValueError("its FLAC header is cut off")
        last = head[0] & _LAST_BLOCK
        yield head[0] & ~_LAST_BLOCK, stream.read(int.from_bytes(head[1:], "big"))


def stream_at(stream: BinaryIO, start: int) -> Stream:
    """Read the header of the stream that begins at a position.

    Raises:
        ValueError: if it is not complete.
    """
    info = b""
    for kind, content in blocks(stream, start):
        info = content if kind == 0 and not info else info
    if len(info) < _STREAM_INFO_BYTES:
        raise ValueError("its FLAC header is cut off")
    shortest, longest = int.from_bytes(info[:2], "big"), int.from_bytes(info[2:4], "big")
    total = info[_TOTAL_PLACE : _TOTAL_PLACE + 8]
    return Stream(
        start=start,
        audio=stream.tell(),
        total=int.from_bytes(total, "big") & _TOTAL_MASK,
        total_place=start + len(_STREAM_START) + _TOTAL_PLACE,
        total_bytes=total,
        block_samples=longest if shortest == longest else 0,
        longest_frame_bytes=int.from_bytes(info[7:10], "big"),
    )


def further_starts(stream: BinaryIO, start: int) -> list[int]:
    """Find the streams that begin behind a position."""
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        found, place = [], content.find(_STREAM_START, start)
        while place >= 0:
            found.append(place)
            place = content.find(_STREAM_START, place + 1)
        return found


def end_samples(stream: BinaryIO, header: Stream, end: int) -> int | None:
    """Return the number of samples up to the end of the last frame, None if no frame ends at a position of the file.

    A frame that ends where the header says is taken as it is; of others the checksum must be right.
    """
    tail_start = max(header.audio, end - max(_TAIL_BYTES, header.longest_frame_bytes))
    stream.seek(tail_start)
    tail = stream.read(end - tail_start)
    others: list[tuple[int, int]] = []
    for place, first, count in _frames(tail, header.block_samples):
        if first + count == header.total:
            return header.total
        others.append((place, first + count))
    return next((samples for place, samples in others if crc16(tail[place:]) == 0), None)


def last_start(stream: BinaryIO, header: Stream, end: int) -> int:
    """Return the number of samples before the last frame that begins; 0 if none is found."""
    tail_start = max(header.audio, end - max(_TAIL_BYTES, header.longest_frame_bytes))
    stream.seek(tail_start)
    return next((first for _, first, _ in _frames(stream.read(end - tail_start), header.block_samples)), 0)


def _frames(tail: bytes, block_samples: int) -> Iterator[tuple[int, int, int]]:
    """List what may be frame headers, the last first: their place, the number of the first sample and how many there are."""
    place = len(tail)
    while (place := tail.rfind(b"\xff", 0, place)) >= 0:
        first, count = _samples_of(tail[place : place + 16], block_samples)
        if count:
            yield place, first, count


def _samples_of(head: bytes, block_samples: int) -> tuple[int, int]:
    """Return the number of a frame's first sample and how many it has by its header (section 9.1), none if it is no header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return 0, 0
    size_code, rate_code = head[2] >> 4, head[2] & 15
    ones = 8 - (head[4] ^ 0xFF).bit_length()  # at the start of the number, which is coded like a letter of UTF-8
    number_bytes = max(1, ones)
    if ones == 1 or ones > 7 or size_code == 0:
        return 0, 0
    number = head[4] & (0x7F >> ones)
    for byte in head[5 : 4 + number_bytes]:
        number = number << 6 | byte & 0x3F
    place = 4 + number_bytes
    size_bytes = {6: 1, 7: 2}.get(size_code, 0)
    frame_samples = _BLOCK_SIZES.get(size_code) or int.from_bytes(head[place : place + size_bytes], "big") + 1
    place += size_bytes + _RATE_BYTES.get(rate_code, 0)
    if len(head) <= place or crc8(head[: place + 1]):
        return 0, 0
    by_sample = head[1] & 1
    return (number if by_sample else number * (block_samples or frame_samples)), frame_samples


def _crc_table(polynomial: int, bits: int) -> tuple[int, ...]:
    mask, table = (1 << bits) - 1, []
    for byte in range(256):
        value = byte << (bits - 8)
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> (bits - 1) else 0)
            value &= mask
        table.append(value)
    return tuple(table)


_CRC8, _CRC16 = _crc_table(0x07, 8), _crc_table(0x8005, 16)


def crc8(content: bytes) -> int:
    """Return the checksum of a frame header; 0 where it is followed by its checksum."""
    value = 0
    for byte in content:
        value = _CRC8[value ^ byte]
    return value


def crc16(content: bytes) -> int:
    """Return the checksum of a frame; 0 where it is followed by its checksum."""
    value = 0
    for byte in content:
        value = (value << 8 & 0xFFFF) ^ _CRC16[value >> 8 ^ byte]
    return value
