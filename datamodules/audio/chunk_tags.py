"""Carry the chunks of WAV, RF64, Wave64, AIFF and CAF files over byte for byte, in order: bext, cue, iXML, MARK, ID3, ..."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from datamodules.audio.containers.chunks import Chunk, Layout, header_of, layout_of, walk
from datamodules.audio.partial import replaced_when_done

CHUNKED_FORMATS = {
    **dict.fromkeys(("WAV", "WAVEX", "RF64", "W64"), "riff"),
    "AIFF": "aiff",
    "CAF": "caf",
}
"""Libsndfile's names of formats, and the kind of their chunks: they pass between formats of one kind."""
_DESCRIBING_THE_AUDIO = frozenset(
    b"fmt |data|fact|ds64|PEAK|levl|MD5 |COMM|SSND|FVER|desc|pakt|kuki|free|peak|RIFF|RIFX|RF64|FORM|riff".split(b"|")
)
"""Chunks that an encoder writes itself, or that hold peaks and checksums of samples that are no more; and joined files."""
_HEAD_BYTES = 40
_COPIED_AT_ONCE_BYTES = 1 << 20
_LONGEST_RIFF_BYTES = 0xFFFFFFFF
_NEWER_RF64 = b"BW64"  # ITU-R BS.2088: the same but for its name; its chunks `axml` and `chna` hold the Audio Definition Model
_MASK = slice(20, 24)  # of an extensible format chunk: which channel is which loudspeaker


def copy_chunks(source: str | os.PathLike[str], target: Path) -> None:
    """Put the chunks of a file that do not describe its encoded audio into another one, before or behind the samples as there."""
    with open(source, "rb") as foreign, open(target, "rb") as own:
        theirs, their_layout = _chunks(foreign)
        ours, layout = _chunks(own)
        known = {chunk.letters for chunk in ours}
        copied = [chunk for chunk in theirs if chunk.letters not in _DESCRIBING_THE_AUDIO | known]
        has_newer_name = _letters(own) == b"RF64" and _letters(foreign) == _NEWER_RF64
        if copied or has_newer_name or _mask(foreign, theirs) != _mask(own, ours):
            before = [chunk for chunk in copied if chunk.place < _data(theirs, their_layout).place]
            behind = [chunk for chunk in copied if chunk not in before]
            with replaced_when_done(target) as rewritten, open(rewritten, "wb+") as new:
                own.seek(0)
                new.write(own.read(layout.start))
                data = _data(ours, layout)
                _put(new, layout, own, layout, [chunk for chunk in ours if chunk.place < data.place])
                _put(new, layout, foreign, their_layout, before)
                _put(new, layout, own, layout, [data])
                _put(new, layout, own, layout, [chunk for chunk in ours if chunk.place > data.place])
                _put(new, layout, foreign, their_layout, behind)
                _set_total(new, layout)
                _set_mask(new, layout, _mask(foreign, theirs))
                if has_newer_name:
                    new.seek(0)
                    new.write(_NEWER_RF64)


def _letters(stream: BinaryIO) -> bytes:
    stream.seek(0)
    return stream.read(4)


def _chunks(stream: BinaryIO) -> tuple[list[Chunk], Layout]:
    layout = layout_of(stream.read(_HEAD_BYTES))
    if layout is None:
        raise ValueError("its chunks are of an unknown kind")
    return list(walk(stream, layout, stream.seek(0, os.SEEK_END))), layout


def _data(chunks: Sequence[Chunk], layout: Layout) -> Chunk:
    return next(chunk for chunk in chunks if chunk.letters == layout.data)


def _put(new: BinaryIO, layout: Layout, old: BinaryIO, old_layout: Layout, chunks: Sequence[Chunk]) -> None:
    """Append chunks, with headers as the new file has them."""
    for chunk in chunks:
        if layout == old_layout:
            old.seek(chunk.place)
            new.write(old.read(layout.header_bytes))
        else:
            new.write(header_of(layout, chunk.letters, chunk.end - chunk.start))
        old.seek(chunk.start)
        left = chunk.end - chunk.start
        while left > 0 and (content := old.read(min(left, _COPIED_AT_ONCE_BYTES))):
            new.write(content)
            left -= len(content)
        new.write(bytes(-new.tell() % layout.alignment))


def _set_total(new: BinaryIO, layout: Layout) -> None:
    size = new.seek(0, os.SEEK_END)
    if not layout.total_place:
        return
    new.seek(0)
    if new.read(4) == b"RF64":
        new.seek(20)
        new.write((size - 8).to_bytes(8, "little"))
        return
    total = size if layout.counts_header else size - 8
    if total > _LONGEST_RIFF_BYTES and layout.size_bytes == 4:
        raise ValueError("with the other file's chunks it is longer than its header can count")
    new.seek(layout.total_place)
    new.write(total.to_bytes(layout.size_bytes, layout.order))


def _format(stream: BinaryIO, chunks: Sequence[Chunk]) -> tuple[int, bytes]:
    """Return where the format chunk's content stands, and the content."""
    found = next((chunk for chunk in chunks if chunk.letters == b"fmt "), None)
    if found is None:
        return 0, b""
    stream.seek(found.start)
    return found.start, stream.read(min(_HEAD_BYTES, found.end - found.start))


def _mask(stream: BinaryIO, chunks: Sequence[Chunk]) -> bytes:
    return _format(stream, chunks)[1][_MASK]


def _set_mask(new: BinaryIO, layout: Layout, mask: bytes) -> None:
    new.flush()
    chunks = list(walk(new, layout, new.seek(0, os.SEEK_END)))
    place, content = _format(new, chunks)
    if len(mask) == 4 and len(content) == _HEAD_BYTES:
        new.seek(place + _MASK.start)
        new.write(mask)
