"""Walk through files that are made of chunks: a name, a length and a content each.

RIFF, RIFX and RF64 (Multimedia Programming Interface 1.0, 1991; EBU Tech 3306), AIFF and AIFF-C (EA IFF 85), Wave64 (Sony
Pictures Digital, Sony Wave64 v1.1, whose names are GUIDs) and CAF (Apple Core Audio Format Specification 1.0).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

_FOUR_LETTERS_GUID_TAIL = bytes.fromhex("f3acd3118cd100c04f8edb8a")
_MOST_CHUNKS = 10_000
_FILE_STARTS = frozenset({b"RIFF", b"RIFX", b"RF64", b"BW64", b"FORM", b"riff", b"caff"})
UNKNOWN_32 = 0xFFFFFFFF


@dataclass(frozen=True)
class Layout:
    """How a kind of chunked file is laid out.

    Attributes:
        start: position of the first chunk.
        name_bytes: of a chunk's name.
        size_bytes: of its length field.
        order: of the length's bytes.
        alignment: chunks start on multiples of this.
        counts_header: whether the length includes name and length field.
        data: name of the chunk that holds the samples.
        total_place: where the length of the whole file stands; 0 where it does not.
    """

    start: int
    name_bytes: int
    size_bytes: int
    order: Literal["little", "big"]
    alignment: int
    counts_header: bool
    data: bytes
    total_place: int

    @property
    def header_bytes(self) -> int:
        """Length of a chunk's name and length field."""
        return self.name_bytes + self.size_bytes


@dataclass(frozen=True)
class Chunk:
    """One chunk of a file: its name, where its header begins, and where its content begins and ends without padding."""

    name: bytes
    place: int
    start: int
    end: int

    @property
    def letters(self) -> bytes:
        """The four letters that stand for the chunk in all formats."""
        return self.name[:4]


_RIFF = Layout(12, 4, 4, "little", 2, False, b"data", 4)
_RIFX = Layout(12, 4, 4, "big", 2, False, b"data", 4)
_AIFF = Layout(12, 4, 4, "big", 2, False, b"SSND", 4)
_WAVE64 = Layout(40, 16, 8, "little", 8, True, b"data", 16)
_CAF = Layout(8, 4, 8, "big", 1, False, b"data", 0)


def layout_of(head: bytes) -> Layout | None:
    """Tell the layout by the first bytes of a file, at least 12; None where it is none of these."""
    if head[:4] in {b"RIFF", b"RF64", b"BW64"} and head[8:12] == b"WAVE":
        return _RIFF
    if head[:4] == b"RIFX" and head[8:12] == b"WAVE":
        return _RIFX
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return _AIFF
    if head[:4] == b"riff" and head[4:8] == b"\x2e\x91\xcf\x11":
        return _WAVE64
    return _CAF if head[:4] == b"caff" else None


def shifted(layout: Layout, start: int) -> Layout:
    """Return the layout of a file that begins at a position of another one."""
    return replace(layout, start=start + layout.start)


def walk(stream: BinaryIO, layout: Layout, file_end: int) -> Iterator[Chunk]:
    """List the chunks of a file up to its end, or to where there is no chunk.

    A length that leads past the end, or that is unknown (all bits set), ends a data chunk at the end of the file; another chunk
    of such a length is none, nor is the start of another file. An RF64 file tells the length of its samples in `ds64`.
    """
    position, long_data = layout.start, 0
    for _ in range(_MOST_CHUNKS):
        stream.seek(position)
        header = stream.read(layout.header_bytes)
        name = header[: layout.name_bytes]
        if len(header) < layout.header_bytes or not _is_name(name) or name[:4] in _FILE_STARTS:
            return
        size = int.from_bytes(header[layout.name_bytes :], layout.order)
        start = position + layout.header_bytes
        size -= layout.header_bytes if layout.counts_header else 0
        if name[:4] == layout.data and size == UNKNOWN_32 and long_data:
            size = long_data
        if start + size > file_end or size < 0:
            if name[:4] == layout.data:
                yield Chunk(name, position, start, file_end)
            return
        if name == b"ds64":
            long_data = int.from_bytes(stream.read(16)[8:], "little")
        yield Chunk(name, position, start, start + size)
        position = start + size + -(start + size) % layout.alignment


def header_of(layout: Layout, letters: bytes, size: int) -> bytes:
    """Return name and length field of a chunk whose name is four letters."""
    name = letters if layout.name_bytes == 4 else letters + _FOUR_LETTERS_GUID_TAIL
    counted = size + (layout.header_bytes if layout.counts_header else 0)
    return name + counted.to_bytes(layout.size_bytes, layout.order)


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 or byte == 0xA9 for byte in name[:4])
