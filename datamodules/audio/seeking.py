"""Reach any sample of a file, also where libsndfile cannot seek, or does so wrongly."""

import numpy as np
import soundfile

_SKIPPED_AT_ONCE_SAMPLES = 1 << 16
_LEAD_SAMPLES = {("PAF", "PCM_24"): 20}
"""Two blocks of ten samples: what libsndfile 1.2 reads after a seek into the last block is empty (libsndfile#753)."""


def skip_to(file: soundfile.SoundFile, start_samples: int) -> None:
    """Go from the start of a file to a sample; a codec that cannot seek (GSM 6.10, G.721, NMS ADPCM) is decoded up to it."""
    if file.seekable():
        file.seek(start_samples)
        return
    left = start_samples
    while left > 0 and (skipped := len(file.read(min(left, _SKIPPED_AT_ONCE_SAMPLES), dtype="float32"))):
        left -= skipped


def decode_from(file: soundfile.SoundFile, start_samples: int, count_samples: int, dtype: str) -> np.ndarray:
    """Decode a part of a file that stands at the start of this part.

    Returns:
        (n, C), n below the count only where the file ends.
    """
    lead = min(start_samples, _LEAD_SAMPLES.get((file.format, file.subtype), 0))
    if lead:
        file.seek(start_samples - lead)
    decoded: np.ndarray = file.read(lead + count_samples, dtype=dtype, always_2d=True)
    return decoded[lead:]
