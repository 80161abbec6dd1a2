"""What the arrays of the cache hold, and where each lies."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.audio.probing import absolute
from datamodules.shard_file import KEY_BYTES, SUFFIX

DTYPES = ("int16", "float32")
STREAM = "stream"
"""What `data.cache` is where windows are decoded from the files while training."""

_LAYOUT = "1"  # Part of every key; to be raised when the meaning of the samples changes.
_SHARDS = "shards1"  # Part of the folder's name; to be raised when the form of the files changes.
_FULL_SCALE = 32768.0


@dataclass(frozen=True)
class CacheFormat:
    """What the arrays hold.

    Attributes:
        folder: of the cache.
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

    @property
    def shards(self) -> Path:
        """Return the folder of the shards, which hold nothing of another format."""
        return self.folder / f"{_SHARDS}-{self.sample_rate}hz-{self.channels}ch-{self.dtype}"

    def key_of(self, audio_path: str) -> str:
        """Return the array's key, which depends on the audio file's path, size and time of modification.

        Raises:
            OSError: if the audio file is gone.
        """
        state = os.stat(audio_path)
        facts = (_LAYOUT, str(absolute(audio_path)), state.st_size, state.st_mtime_ns)
        return _hash(repr((*facts, self.sample_rate, self.channels, self.dtype)))

    def shard_of(self, keys: Sequence[str]) -> Path:
        """Return the path of the shard that is made for so many arrays together."""
        return self.shards / f"{_hash(' '.join(keys))}{SUFFIX}"

    def size_bytes(self, seconds: float) -> int:
        """Return the size of an array of this duration."""
        return round(seconds * self.sample_rate) * self.channels * np.dtype(self.dtype).itemsize


def decodes_before(cache: bool | str) -> bool:
    """Say whether recordings are decoded before training.

    Args:
        cache: `data.cache`; False is `stream`.

    Raises:
        ValueError: if it is neither.
    """
    if isinstance(cache, bool):
        return cache
    if cache == STREAM:
        return False
    raise ValueError(f"data.cache={cache!r} is unknown; known: true, {STREAM}, false")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[: 2 * KEY_BYTES]


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
