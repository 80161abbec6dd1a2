"""Reach any sample of a file, also where libsndfile cannot seek, or does so wrongly."""

import numpy as np

from datamodules.audio.decoder import Decoder

_SKIPPED_AT_ONCE_SAMPLES = 1 << 16
_READ_AT_ONCE_VALUES = 1 << 22
_LEAD_SAMPLES = {("PAF", "PCM_24"): 20}
"""Two blocks of ten samples: what libsndfile 1.2 reads after a seek into the last block is empty (libsndfile#753)."""


def skip_to(file: Decoder, start_samples: int) -> None:
    """Go from the start of a file to a sample; a codec that cannot seek (GSM 6.10, G.721, NMS ADPCM) is decoded up to it."""
    if file.seekable():
        file.seek(start_samples)
        return
    left = start_samples
    while left > 0 and (skipped := len(file.read(min(left, _SKIPPED_AT_ONCE_SAMPLES), dtype="float32", always_2d=True))):
        left -= skipped


def decode_from(file: Decoder, start_samples: int, count_samples: int, dtype: str) -> np.ndarray:
    """Decode a part of a file that stands at the start of this part.

    Returns:
        (n, C), n below the count only where the file ends.
    """
    lead = min(start_samples, _LEAD_SAMPLES.get((file.format, file.subtype), 0))
    if lead:
        file.seek(start_samples - lead)
    return _read(file, lead + count_samples, dtype)[lead:]


def _read(file: Decoder, count_samples: int, dtype: str) -> np.ndarray:
    """Read in blocks: a header that claims too much must not have room made for it."""
    blocks, missing = [np.zeros((0, file.channels), dtype)], count_samples
    while missing > 0:
        block = file.read(min(missing, max(1, _READ_AT_ONCE_VALUES // file.channels)), dtype=dtype, always_2d=True)
        if len(block) == 0:
            break
        blocks.append(block)
        missing -= len(block)
    return np.concatenate(blocks)
