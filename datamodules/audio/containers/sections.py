"""Tell how a file is to be shown to libsndfile so that nothing it holds is lost: joined streams one by one, lengths set right.

libsndfile reads the first of several streams only, believes lengths of 0, and estimates the length of an MP3 file of varying bit
rate that does not tell it.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import BinaryIO

from datamodules.audio.containers import chunks, flac, mpeg, ogg

_HEAD_BYTES = 48
_LONG_RIFF = frozenset({b"RF64", b"BW64"})
_LONG_DATA_PLACE = 28  # of the samples' length in the chunk `ds64`
_VOC_MAGIC = b"Creative Voice File\x1a"
_TOLD_BYTES = 64  # Less behind the last chunk is padding.
_FLAC_TRAILING_TAG_BYTES = 128  # ID3v1


@dataclass(frozen=True)
class Section:
    """A part of a file that is a file of its own; see `view.FileView` for the fields."""

    start: int = 0
    end: int | None = None
    patches: Mapping[int, bytes] = field(default_factory=dict)
    prefix: bytes = b""


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        sections: the streams that follow each other; a single one without changes is the file as it is.
        remarks: what a person should know.
        flaw: why it cannot be used, if it cannot.
    """

    sections: tuple[Section, ...] = (Section(),)
    remarks: tuple[str, ...] = ()
    flaw: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether libsndfile may open the file itself."""
        return self.sections == (Section(),)


def contents_of(path: str | os.PathLike[str]) -> Contents:
    """Look at the layout of a file; what is not known here is left to libsndfile.

    Raises:
        OSError: if it cannot be read.
        ValueError: if it is cut off where this can be seen.
    """
    with open(path, "rb") as stream:
        end = stream.seek(0, os.SEEK_END)
        stream.seek(0)
        head = stream.read(_HEAD_BYTES)
        layout = chunks.layout_of(head) if len(head) >= 12 else None
        if layout:
            return _as_rf64(stream, layout, end, _of_chunks(stream, layout, end))
        if head.startswith(b"OggS"):
            return _of_ogg(stream)
        if head.startswith(_VOC_MAGIC):
            return _of_voc(stream, head, end)
        if head[:4] in {b".snd", b"dns."}:
            return _of_au(head, end)
        audio = mpeg.id3_bytes(stream)
        stream.seek(audio)
        magic = stream.read(4)
        if magic == flac.MAGIC:
            return _of_flac(stream, audio, end)
        return _of_mpeg(stream, audio, end) if audio or (magic[:1] == b"\xff" and len(magic) == 4) else Contents()


def _of_chunks(stream: BinaryIO, layout: chunks.Layout, end: int) -> Contents:
    found = list(chunks.walk(stream, layout, end))
    data = next((chunk for chunk in found if chunk.letters == layout.data), None)
    if data is None:
        return Contents()
    behind = found[-1].end + -found[-1].end % layout.alignment
    if data.end == data.start and found[-1] is data and behind < end:
        return Contents((Section(patches=_length_patches(stream, layout, data, end)),))
    if _at(stream, 0, 4) in _LONG_RIFF and not any(_at(stream, _LONG_DATA_PLACE, 8)):
        return Contents((Section(patches=_length_patches(stream, layout, data, end)),))
    declared = _at(stream, data.place + layout.name_bytes, layout.size_bytes)
    if layout.size_bytes == 8 and declared == b"\xff" * 8:  # CAF: up to the end of the file
        return Contents((Section(patches=_length_patches(stream, layout, data, end)),))
    if layout.counts_header and found[-1] is not data:  # libsndfile takes what follows the samples of Wave64 for samples.
        return Contents((Section(end=data.end, patches={layout.total_place: data.end.to_bytes(8, "little")}),))
    if _at(stream, behind, 12)[:4] == _at(stream, 0, 4) and chunks.layout_of(_at(stream, behind, 12)):
        return _joined_chunks(stream, layout, behind, end)
    left = end - mpeg.tag_end(stream, behind) if behind < end else 0
    if left > _TOLD_BYTES and not layout.counts_header:  # libsndfile reads Wave64 to the end of the file.
        return Contents(remarks=(f"{left} bytes behind its last chunk belong to none and are left out",))
    return Contents()


def _as_rf64(stream: BinaryIO, layout: chunks.Layout, end: int, contents: Contents) -> Contents:
    """Show long RIFF files as libsndfile 1.2 reads them: BW64 (ITU-R BS.2088) by its older name, odd lengths with padding."""
    letters = _at(stream, 0, 4)
    if letters not in _LONG_RIFF:
        return contents
    patches = {} if letters == b"RF64" else {0: b"RF64"}
    for chunk in chunks.walk(stream, layout, end):
        size = chunk.end - chunk.start
        if chunk.letters == layout.data:
            break
        if size % 2:
            patches[chunk.start - layout.size_bytes] = (size + 1).to_bytes(layout.size_bytes, layout.order)
    first, *others = contents.sections
    return replace(contents, sections=(replace(first, patches={**patches, **first.patches}), *others))


def _joined_chunks(stream: BinaryIO, layout: chunks.Layout, second: int, end: int) -> Contents:
    """List files that were put together; each is as long as its own chunks."""
    sections, start = [Section(end=second)], second
    while start < end and chunks.layout_of(_at(stream, start, 12)) is not None:
        moved = chunks.shifted(layout, start)
        last = list(chunks.walk(stream, moved, end))
        behind = min(end, last[-1].end + -last[-1].end % 2) if last else end
        sections.append(Section(start, behind))
        start = behind
    return Contents(tuple(sections))


def _length_patches(stream: BinaryIO, layout: chunks.Layout, data: chunks.Chunk, end: int) -> dict[int, bytes]:
    size = end - data.start
    place = data.place + layout.name_bytes
    if _at(stream, 0, 4) in _LONG_RIFF:
        return {20: (end - 8).to_bytes(8, "little"), _LONG_DATA_PLACE: size.to_bytes(8, "little"), place: b"\xff" * 4}
    counted = size + (layout.header_bytes if layout.counts_header else 0)
    most = (1 << (8 * layout.size_bytes)) - 1
    return {place: min(counted, most).to_bytes(layout.size_bytes, layout.order)}


def _of_au(head: bytes, end: int) -> Contents:
    order = "big" if head[:4] == b".snd" else "little"
    audio, size = (int.from_bytes(head[place : place + 4], order) for place in (4, 8))  # type: ignore[arg-type]
    if size == 0 and audio < end:
        return Contents((Section(patches={8: b"\xff" * 4}),))
    left = end - audio - size
    if size != chunks.UNKNOWN_32 and left > _TOLD_BYTES:
        return Contents(remarks=(f"{left} bytes behind the samples that its header counts are left out",))
    return Contents()


def _of_voc(stream: BinaryIO, head: bytes, end: int) -> Contents:
    """Leave out the byte that ends the file where libsndfile takes it for a sample: behind A-law and mu-law."""
    block = int.from_bytes(head[20:22], "little")
    is_law = head[block : block + 1] == b"\x09" and head[block + 10 : block + 11] in {b"\x06", b"\x07"}
    return Contents((Section(end=end - 1),)) if is_law and _at(stream, end - 1, 1) == b"\0" else Contents()


def _of_ogg(stream: BinaryIO) -> Contents:
    links = ogg.links(stream)
    if any(link.claimed for link in links):
        most = max(link.claimed for link in links)
        return Contents(flaw=f"is damaged: its last Ogg page claims {most} samples more than its packets can hold")
    if any(link.serials > 1 for link in links):
        return Contents(flaw="holds several Ogg streams side by side; take the one with the audio out of it")
    return Contents(tuple(Section(link.start, link.end) for link in links)) if len(links) > 1 else Contents()


def _of_flac(stream: BinaryIO, start: int, end: int) -> Contents:
    header = flac.stream_at(stream, start)
    last = flac.end_samples(stream, header, end) or flac.end_samples(stream, header, end - _FLAC_TRAILING_TAG_BYTES)
    if header.total and last == header.total and not header.is_outgrown_by(end - header.audio):
        return Contents()
    starts = [start, *flac.further_starts(stream, header.audio), end]
    if len(starts) == 2:
        return _of_one_flac(stream, header, last, end)
    parts = [_flac_section(stream, first, last) for first, last in pairwise(starts)]
    return Contents(tuple(parts))


def _flac_section(stream: BinaryIO, start: int, end: int) -> Section:
    header = flac.stream_at(stream, start)
    samples = flac.end_samples(stream, header, end)
    return Section(start, end, header.with_total(samples) if samples and samples > header.total else {})


def _of_one_flac(stream: BinaryIO, header: flac.Stream, last: int | None, end: int) -> Contents:
    if last and last > header.total:
        return Contents((Section(patches=header.with_total(last)),))
    if header.total:
        return Contents()
    whole = flac.last_start(stream, header, end)
    remark = "its header does not tell its length and its last frame is cut off; it is read up to there"
    return Contents((Section(patches=header.with_total(whole)),), (remark,)) if whole else Contents()


def _of_mpeg(stream: BinaryIO, start: int, end: int) -> Contents:
    audio_end = mpeg.tail_start(stream, start, end)
    parts = mpeg.streams(stream, start, audio_end)
    if not parts:
        return Contents()
    sections = [Section(part.start, part.end, part.patches, part.prefix) for part in parts]
    if len(sections) == 1 and not (sections[0].patches or sections[0].prefix):
        return Contents()
    return Contents(tuple(sections))


def _at(stream: BinaryIO, place: int, count: int) -> bytes:
    stream.seek(place)
    return stream.read(count)
