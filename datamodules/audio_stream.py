"""Take audio files of any length through memory in blocks: decode, resample and write what has the same form."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
import soxr

from datamodules.audio_checks import check_finite, named_errors, refuse_short, slack_samples
from datamodules.audio_io import AudioInfo, open_audio, resampled_length
from datamodules.audio_output import Target, open_output

_LARGEST_RIFF_BYTES = 2**32 - 2**16  # Sizes in a WAV header are 32-bit numbers; this leaves room for the header itself.


class Resampler(Protocol):
    """A stream that changes the sample rate and keeps time: sample 0 stays at time 0."""

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now."""

    def flush(self) -> np.ndarray:
        """Return what is left, so that ceil(T * to / from) samples came out in total."""


def read_blocks(path: str | os.PathLike[str], block_samples: int) -> Iterator[np.ndarray]:
    """Decode a file block by block, checking it on the way.

    Yields:
        float64 blocks (C, n <= block_samples), which hold 32-bit integers and doubles exactly.

    Raises:
        AudioFileError: if the file cannot be decoded, ends early or holds NaN or infinity.
    """
    decoded_samples = 0
    with open_audio(path) as file:
        while True:
            with named_errors(path):
                block = file.read(block_samples, dtype="float64", always_2d=True)
            check_finite(path, block)
            decoded_samples += len(block)
            if len(block) == 0:
                break
            yield np.ascontiguousarray(block.T)
        refuse_short(path, decoded_samples + slack_samples(file), file.frames)


def open_like(source: AudioInfo, path: str | os.PathLike[str]) -> AbstractContextManager[Callable[[np.ndarray], None]]:
    """Open an output file with the container, sample format, rate, channels, byte order and text tags of another file.

    A WAV file that would exceed the 4 GiB its header can count becomes an RF64 file (EBU Tech 3306).

    Args:
        source: the file to be like.
        path: the file to write.

    Returns:
        a context manager as `datamodules.audio_output.open_output`.

    Raises:
        AudioFileError: if libsndfile reads but cannot write this kind of file.
    """
    with open_audio(source.path) as file:
        tags, endian, sample_bytes = file.copy_metadata(), file.endian, _bytes_per_sample(file.subtype)
    too_long = source.frames * source.channels * sample_bytes > _LARGEST_RIFF_BYTES
    container = "RF64" if source.format in {"WAV", "WAVEX"} and too_long else source.format
    return open_output(path, Target(container, source.subtype, source.sample_rate_hz, source.channels, endian, tags))


def _bytes_per_sample(subtype: str) -> int:
    known = {"DOUBLE": 8, "FLOAT": 4, "PCM_32": 4, "PCM_24": 3, "PCM_16": 2}
    return known.get(subtype, 1)


def resampler(from_hz: int, to_hz: int, channels: int) -> Resampler:
    """Return the stream that takes a signal from one sample rate to another."""
    return PassThrough(channels) if from_hz == to_hz else SoxResampler(from_hz, to_hz, channels)


class PassThrough:
    """A resampler between equal rates."""

    def __init__(self, channels: int) -> None:
        """Remember the shape of an empty block."""
        self._channels = channels

    def push(self, block: np.ndarray) -> np.ndarray:
        """Return the block as it is."""
        return block

    def flush(self) -> np.ndarray:
        """Return an empty block: nothing is kept back."""
        return np.zeros((self._channels, 0), dtype=np.float32)


class SoxResampler:
    """SoX's band-limited, linear-phase resampler, fed in blocks."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        self._from_hz, self._to_hz, self._channels = from_hz, to_hz, channels
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")
        self._taken_samples = 0
        self._given_samples = 0

    def push(self, block: np.ndarray) -> np.ndarray:
        """Take a block (C, n) and return the finished samples (C, m)."""
        self._taken_samples += block.shape[1]
        return self._resample(block, last=False)

    def flush(self) -> np.ndarray:
        """Return the rest; SoX rounds the length to the nearest sample, the missing one is silent."""
        total = resampled_length(self._taken_samples, self._from_hz, self._to_hz)
        missing = total - self._given_samples
        rest = self._resample(np.zeros((self._channels, 0), dtype=np.float32), last=True)[:, :missing]
        return np.pad(rest, ((0, 0), (0, missing - rest.shape[1])))

    def _resample(self, block: np.ndarray, last: bool) -> np.ndarray:
        frames = np.ascontiguousarray(block.T, dtype=np.float32)
        changed = self._stream.resample_chunk(frames, last=last).T  # (C, m)
        self._given_samples += changed.shape[1]
        return np.ascontiguousarray(changed)
