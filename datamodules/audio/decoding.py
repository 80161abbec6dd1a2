"""Decode a recording block by block, with the channel count and the sample rate that were asked for."""

import os
from collections.abc import Iterator

import numpy as np
import soxr

from datamodules.audio.io import probe, resampled_length
from datamodules.audio.stream import read_blocks

BLOCK_SAMPLES = 1 << 19  # 12 s at 44.1 kHz: memory does not grow with the length of the recording.


def mix(audio: np.ndarray, channels: int) -> np.ndarray:
    """Change the channel count: equal counts pass; others become the mean of all channels, repeated if need be.

    Args:
        audio: (C, T).
        channels: the count wanted.

    Returns:
        (channels, T).
    """
    if audio.shape[0] == channels:
        return audio
    return np.repeat(audio.mean(axis=0, keepdims=True), channels, axis=0)


def decode_blocks(path: str | os.PathLike[str], sample_rate: int, channels: int) -> Iterator[np.ndarray]:
    """Decode, mix and resample a file of any length in bounded memory.

    Args:
        path: the file.
        sample_rate: wanted, in Hz.
        channels: wanted.

    Yields:
        Blocks (channels, n).

    Raises:
        AudioFileError: as `audio_io.read`.
    """
    from_hz = probe(path).sample_rate_hz
    block_samples = max(1, BLOCK_SAMPLES * min(from_hz, sample_rate) // sample_rate)  # bounded by what comes out
    blocks = (mix(block, channels) for block in read_blocks(path, block_samples))
    yield from blocks if from_hz == sample_rate else _resampled(blocks, from_hz, sample_rate, channels)


def _resampled(blocks: Iterator[np.ndarray], from_hz: int, to_hz: int, channels: int) -> Iterator[np.ndarray]:
    """Resample in one go what comes in blocks; SoX rounds the length, a missing last sample is silent."""
    stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")
    taken = given = 0
    for block in blocks:
        frames = stream.resample_chunk(np.ascontiguousarray(block.T, dtype=np.float32))
        taken, given = taken + block.shape[1], given + len(frames)
        yield frames.T
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
    missing = resampled_length(taken, from_hz, to_hz) - given
    yield np.pad(rest[:missing], ((0, max(0, missing - len(rest))), (0, 0))).T
