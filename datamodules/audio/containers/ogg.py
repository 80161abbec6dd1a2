"""Ogg pages (RFC 3533): the links of a chained file, the packets of its head, checksums.

A page is `OggS`, version, flags, granule position (8 bytes), serial number, page number, checksum (4 bytes each), the number of
segments, a table of their lengths and the segments. A segment of less than 255 bytes ends a packet.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

CONTINUED, BEGIN, END = 0x01, 0x02, 0x04
_HEADER = struct.Struct("<4sBBqIIIB")
_NO_GRANULE = -1
_MOST_STREAMS = 100  # Counted side by side.
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LONGEST_OPUS_PACKET = 5760  # 120 ms at 48 kHz (RFC 6716 section 2)
_VORBIS_BLOCK_SIZES_BYTE = 28  # of the identification header (Vorbis I specification, section 4.2.2)


@dataclass(frozen=True)
class Page:
    """The header of a page and where it lies: `place` to `end`, the segments from `body` on."""

    place: int
    body: int
    end: int
    flags: int
    granule: int
    serial: int
    number: int
    segments: bytes

    @property
    def packets_ended(self) -> int:
        """How many packets end on this page."""
        return sum(length < 255 for length in self.segments)


@dataclass(frozen=True)
class Link:
    """One of the streams that follow each other in a chained file: bytes `start` to `end`.

    Attributes:
        start: of its first page.
        end: of its last page.
        serials: how many logical streams lie side by side.
        claimed: samples that its last page claims beyond what its packets can hold; 0 in a sound file.
    """

    start: int
    end: int
    serials: int
    claimed: int = 0


def pages(stream: BinaryIO, start: int = 0) -> Iterator[Page]:
    """List the pages from a position on, skipping what is between them."""
    size = stream.seek(0, os.SEEK_END)
    position = start
    while position + _HEADER.size <= size:
        page = page_at(stream, position)
        if page is None:
            position = _next_page(stream, position + 1)
            if position < 0:
                return
        elif page.end > size:
            return
        else:
            yield page
            position = page.end


def page_at(stream: BinaryIO, position: int) -> Page | None:
    """Return the page that begins at a position, None if none does."""
    stream.seek(position)
    head = stream.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(b"OggS"):
        return None
    _, _, flags, granule, serial, number, _, count = _HEADER.unpack(head)
    segments = stream.read(count)
    body = position + _HEADER.size + count
    return Page(position, body, body + sum(segments), flags, granule, serial, number, segments)


def _next_page(stream: BinaryIO, position: int) -> int:
    overlap = 3
    while True:
        stream.seek(position)
        content = stream.read(1 << 16)
        found = content.find(b"OggS")
        if found >= 0:
            return position + found
        if len(content) <= overlap:
            return -1
        position += len(content) - overlap


def links(stream: BinaryIO) -> list[Link]:
    """List the links of a file; a page that begins a stream after others that did not begins a link."""
    found: list[_Growing] = []
    is_head = False
    for page in pages(stream):
        if not found or (page.flags & BEGIN and not is_head):
            found.append(_Growing(page, _longest_packet(stream, page)))
        found[-1].add(page)
        is_head = bool(page.flags & BEGIN)
    return [growing.link() for growing in found]


class _Growing:
    """A link of which some pages have been seen; memory does not grow with their number."""

    def __init__(self, first: Page, longest_packet: int) -> None:
        self._first, self._longest_packet = first, longest_packet
        self._serials: set[int] = set()
        self._end = first.end
        self._granules = (0, 0)  # of the last page but one, and of the last
        self._packets = 0  # that end behind the last page but one
        self._waiting_packets = 0

    def add(self, page: Page) -> None:
        if len(self._serials) < _MOST_STREAMS:
            self._serials.add(page.serial)
        self._end = page.end
        self._waiting_packets += page.packets_ended
        if page.granule != _NO_GRANULE:
            self._granules = (self._granules[1], page.granule)
            self._packets, self._waiting_packets = self._waiting_packets, 0

    def link(self) -> Link:
        before, last = self._granules
        most = self._packets * self._longest_packet
        claimed = max(0, last - max(0, before) - most) if self._longest_packet and len(self._serials) == 1 else 0
        return Link(self._first.place, self._end, len(self._serials), claimed)


def _longest_packet(stream: BinaryIO, first: Page) -> int:
    """Return the samples that a packet can stand for, 0 if that is not known."""
    stream.seek(first.body)
    head = stream.read(30)
    if head.startswith(b"OpusHead"):
        return _LONGEST_OPUS_PACKET
    if head.startswith(b"\x01vorbis") and len(head) > _VORBIS_BLOCK_SIZES_BYTE:
        return 1 << (head[_VORBIS_BLOCK_SIZES_BYTE] >> 4)
    return 0


def head_packets(stream: BinaryIO, start: int, count: int) -> tuple[list[bytes], int]:
    """Return the first packets of a link, and the position behind the page on which the last one ends."""
    packets: list[bytes] = []
    waiting = b""
    for page in pages(stream, start):
        stream.seek(page.body)
        for length in page.segments:
            waiting += stream.read(length)
            if length < 255:
                packets.append(waiting)
                waiting = b""
        if len(packets) >= count:
            return packets, page.end
    raise ValueError("its Ogg headers are not complete")


def paged(packets: Sequence[bytes], serial: int, number: int) -> list[bytes]:
    """Put packets of a head into pages of their own, the first of which has a number."""
    segments: list[tuple[int, bytes, bool]] = []  # length, content, whether it continues a packet
    for packet in packets:
        lengths = [255] * (len(packet) // 255) + [len(packet) % 255]
        for index, length in enumerate(lengths):
            segments.append((length, packet[255 * index : 255 * index + length], index > 0))
    made: list[bytes] = []
    for first in range(0, len(segments), 255):
        group = segments[first : first + 255]
        ends = any(length < 255 for length, _, _ in group)
        flags = CONTINUED if group[0][2] else 0
        table = bytes(length for length, _, _ in group)
        head = _HEADER.pack(b"OggS", 0, flags, 0 if ends else _NO_GRANULE, serial, number + len(made), 0, len(group))
        made.append(with_checksum(head + table + b"".join(content for _, content, _ in group)))
    return made


def renumbered(page: bytes, shift: int) -> bytes:
    """Return a page whose number is greater by a shift, with its new checksum."""
    number = struct.unpack_from("<I", page, 18)[0] + shift
    return with_checksum(page[:18] + struct.pack("<I", number) + page[22:])


def with_checksum(page: bytes) -> bytes:
    """Set the checksum of a page: CRC-32 of polynomial 04c11db7, first bit first, which is zlib's of bytes turned around."""
    blank = page[:22] + bytes(4) + page[26:]
    reflected = zlib.crc32(blank.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return page[:22] + int(f"{reflected:032b}"[::-1], 2).to_bytes(4, "little") + page[26:]
