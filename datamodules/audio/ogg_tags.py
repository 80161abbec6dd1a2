"""Carry the comments of Ogg files over, pictures among them: Vorbis, Opus and FLAC in Ogg.

The comments are the second packet; behind the encoder's own name (its "vendor"), which stays,
all bytes are those of the other file.
"""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from datamodules.audio.containers import ogg
from datamodules.audio.partial import replaced_when_done

_VORBIS, _OPUS, _FLAC = b"\x03vorbis", b"OpusTags", b"\x84"
_FLAC_LAST_BLOCK = 0x80
_FLAC_HEAD = b"\x7fFLAC"
_FLAC_PACKETS_PLACE = slice(7, 9)


def copy_ogg_comments(source: str | os.PathLike[str], target: Path) -> None:
    """Put the comments of one Ogg file in place of those of another of the same codec.

    Raises:
        ValueError: if the head of one of them is damaged.
    """
    with open(source, "rb") as stream:
        foreign, _ = _head(stream)
    with open(target, "rb") as stream:
        own, audio_start = _head(stream)
        first = ogg.page_at(stream, 0)
        if first is None or _kind(foreign[1]) != _kind(own[1]):
            raise ValueError("its comments are of another codec")
        packets = [_with_comments(own[1], foreign[1]), *own[2:]]
        pages = ogg.paged(packets, first.serial, 1)
        stream.seek(0)
        head = stream.read(first.end) + b"".join(pages)
        shift = 1 + len(pages) - sum(1 for page in ogg.pages(stream) if page.place < audio_start)
        _rewrite(target, stream, head, audio_start, shift)


def _head(stream: BinaryIO) -> tuple[list[bytes], int]:
    """Return the packets of a head, and where the audio begins."""
    first, _ = ogg.head_packets(stream, 0, 1)
    if first[0].startswith(_FLAC_HEAD):
        count = 1 + int.from_bytes(first[0][_FLAC_PACKETS_PLACE], "big")
    else:
        count = 2 if first[0].startswith(b"OpusHead") else 3
    packets, end = ogg.head_packets(stream, 0, max(2, count))
    return packets[: max(2, count)], end


def _kind(comments: bytes) -> bytes:
    for prefix in (_VORBIS, _OPUS):
        if comments.startswith(prefix):
            return prefix
    if comments and comments[0] & ~_FLAC_LAST_BLOCK == 4:
        return _FLAC
    raise ValueError("its second packet holds no comments")


def _with_comments(own: bytes, foreign: bytes) -> bytes:
    kind = _kind(own)
    start = 4 if kind == _FLAC else len(kind)
    content = own[start : _vendor_end(own, start)] + foreign[_vendor_end(foreign, start) :]
    head = own[:1] + len(content).to_bytes(3, "big") if kind == _FLAC else kind
    return head + content


def _vendor_end(packet: bytes, start: int) -> int:
    end = start + 4 + int.from_bytes(packet[start : start + 4], "little")
    if end + 4 > len(packet):
        raise ValueError("its comments are cut off")
    return end


def _rewrite(target: Path, old: BinaryIO, head: bytes, audio_start: int, shift: int) -> None:
    with replaced_when_done(target) as rewritten, open(rewritten, "wb") as new:
        new.write(head)
        if shift == 0:
            old.seek(audio_start)
            shutil.copyfileobj(old, new, length=1 << 20)
            return
        for page in ogg.pages(old, audio_start):
            old.seek(page.place)
            new.write(ogg.renumbered(old.read(page.end - page.place), shift))
