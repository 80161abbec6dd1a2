"""MPEG audio frames (ISO 11172-3, 13818-3), the tags around them (id3.org, APEv2), and the header of Xing and LAME."""

import mmap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

Content = bytes | mmap.mmap

_KBPS = {  # by (MPEG-1, layer)
    (True, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_ROOMY_RATE = 9  # An index of bit rates whose frames have room for a Xing header.
_ID3_HEADER_BYTES, _ID3_FOOTER_FLAG, _ID3V1_BYTES = 10, 0x10, 128
_APE_FOOTER_BYTES, _APE_HAS_HEADER = 32, 1 << 31


@dataclass(frozen=True)
class Frame:
    """A frame's header.

    Attributes:
        place: in the file.
        size_bytes: of the frame.
        kbps: its bit rate.
        rate_hz: its sample rate.
        layer: 1, 2 or 3.
        side_bytes: of header and side information, behind which the Xing header lies.
    """

    place: int
    size_bytes: int
    kbps: int
    rate_hz: int
    layer: int
    side_bytes: int


@dataclass(frozen=True)
class Xing:
    """What the first frame says of the others.

    Attributes:
        place: where its name stands.
        frames: number of frames behind it; None where it does not say.
        quality: 0 to 100; None where it does not say.
        method: LAME's number of the way the bit rate varies: 1 constant, 2 average, 3 to 6 variable; 0 unknown.
    """

    place: int
    frames: int | None
    quality: int | None
    method: int


def parse_frame(head: bytes, place: int) -> Frame | None:
    """Read a frame header of four bytes; None if it is none, or of a free bit rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    if version == 1 or layer == 4 or head[2] >> 4 in {0, 15} or head[2] >> 2 & 3 == 3:
        return None
    is_first = version == 3
    kbps = _KBPS[is_first, layer][head[2] >> 4]
    rate_hz, padding = _RATES_HZ[version][head[2] >> 2 & 3], head[2] >> 1 & 1
    if layer == 1:
        size = (12000 * kbps // rate_hz + padding) * 4
    else:
        size = (72000 if layer == 3 and not is_first else 144000) * kbps // rate_hz + padding
    is_mono = head[3] >> 6 == 3
    side = {(True, False): 32, (True, True): 17, (False, False): 17, (False, True): 9}[is_first, is_mono]
    return Frame(place, size, kbps, rate_hz, layer, 4 + side)


def frames(content: Content, start: int, end: int) -> Iterator[Frame]:
    """List the frames of a part of a file, passing over what lies between them; a first frame must be followed by another."""
    position, is_trusted = start, False
    while position + 4 <= end:
        frame = parse_frame(content[position : position + 4], position)
        if frame and not is_trusted and not _is_followed(content, frame, end):
            frame = None
        is_trusted = frame is not None
        if frame:
            yield frame
            position += frame.size_bytes
        else:
            position = content.find(b"\xff", position + 1)
            if position < 0:
                return


def _is_followed(content: Content, frame: Frame, end: int) -> bool:
    behind = frame.place + frame.size_bytes
    if behind + 4 > end:
        return True
    follower = parse_frame(content[behind : behind + 4], behind)
    return follower is not None and (follower.rate_hz, follower.layer) == (frame.rate_hz, frame.layer)


@dataclass(frozen=True)
class Stream:
    """One MP3 stream of a file; see `view.FileView` for the fields."""

    start: int
    end: int
    patches: Mapping[int, bytes]
    prefix: bytes


def streams(stream: BinaryIO, start: int, end: int) -> list[Stream]:
    """Divide layer III audio into the streams that were put together, each of which begins with a Xing header.

    A header that counts fewer frames than there are is shown with the true number. A stream of varying bit rate without one is
    shown behind one: its length would only be guessed.
    """
    with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        groups: list[_Group] = []
        for frame in frames(content, start, end):
            if frame.layer != 3:
                return []
            xing = xing_of(content, frame)
            if not groups or xing:
                groups.append(_Group(frame, xing))
            groups[-1].add(frame)
        starts = [group.first.place for group in groups]
        ends = [*starts[1:], end]
        return [group.stream(content, ends[number]) for number, group in enumerate(groups)]


class _Group:
    """The frames of a stream, counted."""

    def __init__(self, first: Frame, xing: Xing | None) -> None:
        self.first, self.xing = first, xing
        self._count = 0 if xing is None else -1
        self._kbps: set[int] = set()

    def add(self, frame: Frame) -> None:
        self._count += 1
        if self._count > 0:
            self._kbps.add(frame.kbps)

    def stream(self, content: Content, end: int) -> Stream:
        start = self.first.place
        if self.xing is None:
            return Stream(start, end, {}, _counting_frame(content, self.first, self._count) if len(self._kbps) > 1 else b"")
        told = self.xing.frames
        patch = {self.xing.place + 8: self._count.to_bytes(4, "big")} if told is not None and told < self._count else {}
        return Stream(start, end, patch, b"")


def _counting_frame(content: Content, like: Frame, count: int) -> bytes:
    """Return a frame without sound that tells how many follow."""
    head = bytearray(content[like.place : like.place + 4])
    head[1] |= 1  # without a checksum
    head[2] = head[2] & 0x0D | _ROOMY_RATE << 4
    frame = parse_frame(bytes(head), 0)
    if frame is None:
        return b""
    made = bytearray(frame.size_bytes)
    made[:4] = head
    made[frame.side_bytes : frame.side_bytes + 12] = b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return bytes(made)


def xing_of(content: Content, frame: Frame) -> Xing | None:
    """Read the header that Xing and LAME put into a first frame without sound; None if this frame holds none."""
    start = frame.place + frame.side_bytes
    if content[start : start + 4] not in {b"Xing", b"Info"}:
        return None
    return _parse_xing(content[start : start + 160], start)


def _parse_xing(content: bytes, start: int) -> Xing:
    flags, place = int.from_bytes(content[4:8], "big"), 8
    values: list[int | None] = []
    for bit, size in ((1, 4), (2, 4), (4, 100), (8, 4)):
        values.append(int.from_bytes(content[place : place + size], "big") if flags & bit else None)
        place += size if flags & bit else 0
    is_told = content[place : place + 4] in {b"LAME", b"Lavf", b"Lavc"} and len(content) > place + 9
    method = content[place + 9] & 15 if is_told else 0
    return Xing(start, values[0], values[3], method)


def id3_bytes(stream: BinaryIO, start: int = 0) -> int:
    """Return the length of the ID3v2 tag at a position, 0 without one."""
    stream.seek(start)
    header = stream.read(_ID3_HEADER_BYTES)
    if len(header) < _ID3_HEADER_BYTES or not header.startswith(b"ID3"):
        return 0
    size = sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(reversed(header[6:])))
    return _ID3_HEADER_BYTES + size + (_ID3_HEADER_BYTES if header[5] & _ID3_FOOTER_FLAG else 0)


def tail_start(stream: BinaryIO, start: int, end: int) -> int:
    """Return where the tags at the end of a file begin: ID3v1, and APEv2 before it."""
    stream.seek(max(start, end - _ID3V1_BYTES))
    if end - start >= _ID3V1_BYTES and stream.read(3) == b"TAG":
        end -= _ID3V1_BYTES
    stream.seek(max(start, end - _APE_FOOTER_BYTES))
    footer = stream.read(_APE_FOOTER_BYTES)
    if not footer.startswith(b"APETAGEX"):
        return end
    size, flags = int.from_bytes(footer[12:16], "little"), int.from_bytes(footer[20:24], "little")
    begin = end - size - (_APE_FOOTER_BYTES if flags & _APE_HAS_HEADER else 0)
    return begin if begin >= start else end


def tag_end(stream: BinaryIO, position: int) -> int:
    """Return where the tags between two files put together end."""
    while True:
        stream.seek(position)
        head = stream.read(_APE_FOOTER_BYTES)
        if head.startswith(b"TAG"):
            position += _ID3V1_BYTES
        elif head.startswith(b"APETAGEX"):
            position += _APE_FOOTER_BYTES + int.from_bytes(head[12:16], "little")
        elif size := id3_bytes(stream, position):
            position += size
        else:
            return position
