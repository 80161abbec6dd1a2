"""Carry the metadata of a file over byte for byte: any tag in any script, pictures, cue sheets, chunks nobody knows.

libsndfile knows ten tags and no pictures. FLAC and MP3 keep theirs in blocks of their own before the audio: RFC 9639 section 8
(FLAC) and id3.org's ID3v2.4.0 structure, section 3.1; the older ID3v1 and APEv2 follow the audio. WAV, RF64, Wave64, AIFF and
CAF have chunks, Ogg a packet of comments (Vorbis I specification, section 5; RFC 7845 section 5.2).
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from datamodules.audio.checks import AudioFileError
from datamodules.audio.chunk_tags import CHUNKED_FORMATS, copy_chunks
from datamodules.audio.containers import flac, mpeg
from datamodules.audio.fact import BLOCK_SUBTYPES, copy_sample_count
from datamodules.audio.info import AudioInfo
from datamodules.audio.ogg_tags import copy_ogg_comments
from datamodules.audio.partial import replaced_when_done

_FLAC_LAST_BLOCK = 0x80
_FLAC_AUDIO_BLOCKS = frozenset({0, 3})  # stream info, seek table: they describe the encoded audio
_FLAC_COPIED_BLOCKS = frozenset({2, 4, 5, 6})  # application, comments, cue sheet, picture

Copy = Callable[[str | os.PathLike[str], Path], None]


def carries_tags(source_format: str, container: str) -> bool:
    """Say whether `carry_tags` knows a way from a format (libsndfile's name) to a container."""
    return _copy_between(source_format, container) is not None


def carry_tags(source: AudioInfo, container: str, target: Path) -> None:
    """Put the metadata of one file into another, in place of its own, where both keep it in the same way.

    Raises:
        AudioFileError: if the metadata of the file is damaged.
    """
    if {source.format, container} <= {"WAV", "WAVEX"} and source.subtype in BLOCK_SUBTYPES:
        copy_sample_count(source.path, source.frames, target)
    copy = _copy_between(source.format, container)
    if copy:
        try:
            copy(source.path, target)
        except ValueError as error:
            if isinstance(error, AudioFileError):
                raise
            raise AudioFileError(source.path, f"has metadata that cannot be copied: {error}") from error


def _copy_between(source_format: str, container: str) -> Copy | None:
    if source_format in CHUNKED_FORMATS and CHUNKED_FORMATS[source_format] == CHUNKED_FORMATS.get(container):
        return copy_chunks
    if source_format != container:
        return None
    return {"FLAC": copy_flac_blocks, "MP3": copy_id3, "OGG": copy_ogg_comments}.get(container)


def copy_id3(source: str | os.PathLike[str], target: Path) -> None:
    """Put the ID3v2 tag of one MP3 file, if it has one, in place of that of another, and what follows the audio at the end."""
    with open(source, "rb") as stream:
        head_bytes, size = mpeg.id3_bytes(stream), os.path.getsize(source)
        tail_start = mpeg.tail_start(stream, head_bytes, size)
        stream.seek(0)
        head = stream.read(head_bytes)
        stream.seek(tail_start)
        tail = stream.read()
    with open(target, "rb") as stream:
        audio_start = mpeg.id3_bytes(stream)
    _replace_head(target, head, audio_start, tail)


def copy_flac_blocks(source: str | os.PathLike[str], target: Path) -> None:
    """Put the descriptive metadata blocks of one FLAC file in place of those of another; FLAC in Ogg keeps comments there."""
    if _begins_with(source, b"OggS"):
        copy_ogg_comments(source, target)
        return
    own, audio_start = _flac_blocks(target)
    foreign, _ = _flac_blocks(source)
    blocks = [block for block in own if block[0] in _FLAC_AUDIO_BLOCKS]
    blocks += [block for block in foreign if block[0] in _FLAC_COPIED_BLOCKS]
    head = bytearray(flac.MAGIC)
    for number, (kind, content) in enumerate(blocks, start=1):
        head.append(kind | (_FLAC_LAST_BLOCK if number == len(blocks) else 0))
        head += len(content).to_bytes(3, "big") + content
    _replace_head(target, bytes(head), audio_start)


def _begins_with(path: str | os.PathLike[str], magic: bytes) -> bool:
    with open(path, "rb") as stream:
        return stream.read(len(magic)) == magic


def _flac_blocks(path: str | os.PathLike[str]) -> tuple[list[tuple[int, bytes]], int]:
    """Return the metadata blocks (type, content) and the position of the first audio frame."""
    with open(path, "rb") as stream:
        blocks = list(flac.blocks(stream, mpeg.id3_bytes(stream)))
        return blocks, stream.tell()


def _replace_head(path: Path, head: bytes, audio_start: int, tail: bytes = b"") -> None:
    with replaced_when_done(path) as rewritten, open(path, "rb") as old, open(rewritten, "wb") as new:
        new.write(head)
        old.seek(audio_start)
        shutil.copyfileobj(old, new, length=1 << 20)
        new.write(tail)
