"""Carry the metadata of FLAC and MP3 files over byte for byte: any tag in any script, pictures, cue sheets.

libsndfile knows ten tags and no pictures. Both formats keep theirs in blocks of their own before the audio:
RFC 9639 section 8 (FLAC) and id3.org's ID3v2.4.0 structure, section 3.1; the older ID3v1 follows the audio.
"""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from datamodules.audio.output import replaced_when_done

_ID3_HEADER_BYTES = 10
_ID3_FOOTER_FLAG = 0x10
_ID3V1_BYTES = 128  # at the end of the file, beginning with TAG
_FLAC_MAGIC = b"fLaC"
_FLAC_LAST_BLOCK = 0x80
_FLAC_AUDIO_BLOCKS = frozenset({0, 3})  # stream info, seek table: they describe the encoded audio
_FLAC_COPIED_BLOCKS = frozenset({2, 4, 5, 6})  # application, comments, cue sheet, picture


def copy_id3(source: str | os.PathLike[str], target: Path) -> None:
    """Put the ID3v2 tag of one MP3 file, if it has one, in place of that of another, and its ID3v1 tag at the end."""
    with open(source, "rb") as stream:
        tag = stream.read(_id3_bytes(stream))
        stream.seek(max(0, os.path.getsize(source) - _ID3V1_BYTES))
        tail = stream.read()
    with open(target, "rb") as stream:
        audio_start = _id3_bytes(stream)
    _replace_head(target, tag, audio_start, tail if tail.startswith(b"TAG") else b"")


def copy_flac_blocks(source: str | os.PathLike[str], target: Path) -> None:
    """Put the descriptive metadata blocks of one FLAC file in place of those of another."""
    own, audio_start = _flac_blocks(target)
    foreign, _ = _flac_blocks(source)
    blocks = [block for block in own if block[0] in _FLAC_AUDIO_BLOCKS]
    blocks += [block for block in foreign if block[0] in _FLAC_COPIED_BLOCKS]
    head = bytearray(_FLAC_MAGIC)
    for number, (kind, content) in enumerate(blocks, start=1):
        head.append(kind | (_FLAC_LAST_BLOCK if number == len(blocks) else 0))
        head += len(content).to_bytes(3, "big") + content
    _replace_head(target, bytes(head), audio_start)


def _id3_bytes(stream: BinaryIO) -> int:
    """Return the length of the ID3v2 tag at the start of a stream, 0 without one; leaves the stream at its start."""
    header = stream.read(_ID3_HEADER_BYTES)
    stream.seek(0)
    if len(header) < _ID3_HEADER_BYTES or not header.startswith(b"ID3"):
        return 0
    size = sum(byte << (7 * place) for place, byte in enumerate(reversed(header[6:])))
    return _ID3_HEADER_BYTES + size + (_ID3_HEADER_BYTES if header[5] & _ID3_FOOTER_FLAG else 0)


def _flac_blocks(path: str | os.PathLike[str]) -> tuple[list[tuple[int, bytes]], int]:
    """Return the metadata blocks (type, content) and the position of the first audio frame."""
    blocks: list[tuple[int, bytes]] = []
    with open(path, "rb") as stream:
        stream.seek(_id3_bytes(stream) + len(_FLAC_MAGIC))
        last = 0
        while not last:
            head = stream.read(4)
            last = head[0] & _FLAC_LAST_BLOCK
            blocks.append((head[0] & ~_FLAC_LAST_BLOCK, stream.read(int.from_bytes(head[1:], "big"))))
        return blocks, stream.tell()


def _replace_head(path: Path, head: bytes, audio_start: int, tail: bytes = b"") -> None:
    with replaced_when_done(path) as rewritten, open(path, "rb") as old, open(rewritten, "wb") as new:
        new.write(head)
        old.seek(audio_start)
        shutil.copyfileobj(old, new, length=1 << 20)
        new.write(tail)
