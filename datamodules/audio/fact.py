"""Carry over the true length of WAV files whose codec works in blocks.

Such a file holds whole blocks; the number of samples that count stands in its `fact` chunk (Microsoft and IBM, Multimedia
Programming Interface and Data Specifications 1.0, 1991, "Fact Chunk"). libsndfile 1.2 does not read it for these codecs, and
writes the number of samples in all blocks there for IMA ADPCM.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

BLOCK_SUBTYPES = frozenset({"IMA_ADPCM", "MS_ADPCM", "GSM610", "G721_32", "NMS_ADPCM_16", "NMS_ADPCM_24", "NMS_ADPCM_32"})
_LONGEST_BLOCK_SAMPLES = 1 << 16
_RIFF_HEADER_BYTES = 12


def copy_sample_count(source: str | os.PathLike[str], frames: int, target: Path) -> None:
    """Let a WAV file count as many samples as another one does.

    Args:
        source: the other file.
        frames: samples in its blocks; a count that does not fit them is not believed, and they all count.
        target: a file without this chunk is left as it is.
    """
    with open(source, "rb") as stream:
        place = _fact_place(stream)
        declared = _count_at(stream, place) if place else frames
    believed = declared if 0 <= frames - declared < _LONGEST_BLOCK_SAMPLES else frames
    with open(target, "r+b") as stream:
        place = _fact_place(stream)
        if place:
            stream.seek(place)
            stream.write(struct.pack("<I", believed))


def _fact_place(stream: BinaryIO) -> int:
    """Return where the sample count of a RIFF file stands, 0 where there is none."""
    position = _RIFF_HEADER_BYTES
    while True:
        stream.seek(position)
        header = stream.read(8)
        if len(header) < 8 or header.startswith(b"data"):
            return 0
        position += 8
        if header.startswith(b"fact"):
            return position
        size = int.from_bytes(header[4:], "little")
        position += size + size % 2


def _count_at(stream: BinaryIO, place: int) -> int:
    stream.seek(place)
    return int.from_bytes(stream.read(4), "little")
