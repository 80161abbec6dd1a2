"""What the arrays of the cache hold, and where each lies."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.audio.probing import absolute

DTYPES = ("int16", "float32")

_LAYOUT = "1"  # Part of every key; to be raised when the meaning of the samples changes.
_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class CacheFormat:
    """What the arrays hold.

    Attributes:
        folder: where they lie.
        sample_rate: in Hz.
        channels: count; see `decoding.mix`.
        dtype: `int16`, half the size and exact for 16-bit files, or `float32`.
    """

    folder: Path
    sample_rate: int
    channels: int = 1
    dtype: str = "int16"

    def __post_init__(self) -> None:
        """Check the type of the samples."""
        if self.dtype not in DTYPES:
            raise ValueError(f"data.cache_dtype={self.dtype!r} is unknown; known: {', '.join(DTYPES)}")

    def path_of(self, audio_path: str) -> Path:
        """Return the array's path, which depends on the audio file's path, size and time of modification.

        Raises:
            OSError: if the audio file is gone.
        """
        state = os.stat(audio_path)
        facts = (_LAYOUT, str(absolute(audio_path)), state.st_size, state.st_mtime_ns)
        key = repr((*facts, self.sample_rate, self.channels, self.dtype))
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.npy"

    def has(self, audio_path: str) -> bool:
        """Say whether there is an array of an audio file, whole or not."""
        try:
            return self.path_of(audio_path).exists()
        except OSError:
            return False

    def size_bytes(self, seconds: float) -> int:
        """Return the size of an array of this duration."""
        return round(seconds * self.sample_rate) * self.channels * np.dtype(self.dtype).itemsize


def to_stored(samples: np.ndarray, dtype: str) -> np.ndarray:
    """Turn float32 samples into the cache's type; int16 rounds and clips, it neither wraps nor changes the level.

    Args:
        samples: any shape, full scale 1.
        dtype: one of `DTYPES`.

    Returns:
        Same shape. After int16 a sample within [-1, 1] differs by at most 1 / 32768.
    """
    if dtype == "float32":
        return samples.astype(np.float32)
    return np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def from_stored(samples: np.ndarray) -> np.ndarray:
    """Return the float32 samples of an array in the cache, as a copy."""
    return samples.astype(np.float32) / (_FULL_SCALE if samples.dtype == np.int16 else 1)
