"""Random segments of recorded noise from a folder of audio files."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from datamodules.audio import io as audio_io
from datamodules.audio.io import AudioFileError, AudioInfo
from datamodules.audio.stream import read_blocks
from datamodules.corruptions.recorded.byte_cache import ByteCache
from datamodules.corruptions.recorded.files import RecordedFiles
from datamodules.draws import uniform

BLOCK_SECONDS = 30
CROSS_FADE_SECONDS = 0.05
AUDIBLE_RMS = 1e-5
"""Full scale 1, without the mean: -100 dBFS, below the dither of 16 bits. What is quieter is digital silence, which no gain
makes audible."""
CANDIDATES = 4
"""Moments drawn for a segment, of which the first audible one is used."""
CACHED_BYTES = 256 * 2**20
"""Of decoded blocks in each process: 23 minutes at 48 kHz, 70 minutes at 16 kHz. What is beyond is decoded again."""

_blocks_read = ByteCache(CACHED_BYTES)


class NoiseRecordings(RecordedFiles):
    """The usable audio files of a folder, from which segments are drawn.

    Files are equally likely, whatever their length, and so are the audible moments within one. Files are mixed down to one
    channel; each channel of an example gets its own moment of the same file, without its mean: an offset of the recording is no
    noise. Where decoding finds damage, the next file takes the place of this one.
    """

    kind = "noise"

    def check_file(self, info: AudioInfo) -> None:
        """Decode a file up to its first audible second; see `RecordedFiles`."""
        seconds = read_blocks(info.path, info.sample_rate_hz)
        if not any(_is_audible(second.mean(axis=0)) for second in seconds):
            raise AudioFileError(info.path, "is silent")

    def draw(self, wanted: Tensor, shape: Sequence[int], sample_rate: int, generator: torch.Generator) -> Tensor:
        """Draw a segment for every channel of the wanted examples.

        Args:
            wanted: which examples need noise, (B,), boolean.
            shape: (B, C, T).
            sample_rate: rate of the result in Hz.
            generator: only source of randomness; it advances alike whatever is wanted.

        Returns:
            Noise, (B, C, T), in CPU memory; zero for the other examples. A segment repeats, cross-faded, if it is short.

        Raises:
            ValueError: if no file can be decoded.
        """
        batch, channels, length = shape
        files = uniform(0.0, 1.0, (batch,), generator).tolist()
        moments = uniform(0.0, 1.0, (batch, channels, CANDIDATES), generator).tolist()
        noise = np.zeros((batch, channels, length), dtype=np.float32)
        for row in wanted.nonzero().flatten().tolist():
            noise[row] = self._example(int(files[row] * len(self._files)), moments[row], length, sample_rate)
        return torch.from_numpy(noise)

    def _example(self, first: int, moments: list[list[float]], length: int, sample_rate: int) -> list[np.ndarray]:
        """Cut a segment per channel from the first file from `first` on that proves whole."""
        for info in (*self._files[first:], *self._files[:first]):
            try:
                segments = [_audible_segment(info, candidates, length, sample_rate) for candidates in moments]
                return [segment - segment.mean(dtype=np.float64) for segment in segments]
            except AudioFileError as error:
                self.report(error)
        raise ValueError(f"noise_root: none of the {len(self._files)} recordings can be decoded, e.g. {self.skipped[-1]}")


def loop(audio: np.ndarray, fade_samples: int) -> np.ndarray:
    """Shorten a signal by folding its end over its beginning with an equal-power cross-fade, so that it repeats without a seam.

    Args:
        audio: (T,).
        fade_samples: length F of the cross-fade; at most half the signal is used.

    Returns:
        One period, (T - F,).
    """
    fade = min(fade_samples, len(audio) // 2)
    period = audio[: len(audio) - fade].copy()
    angle = (np.arange(fade) + 0.5) * (np.pi / 2 / max(fade, 1))
    period[:fade] = audio[:fade] * np.sin(angle) + audio[len(audio) - fade :] * np.cos(angle)
    return period.astype(np.float32)


def _audible_segment(info: AudioInfo, moments: list[float], length: int, sample_rate: int) -> np.ndarray:
    """Cut (length,) samples at the first of some moments in [0, 1) of a file that is audible, or else at a loud place."""
    for moment in moments:
        block, within = divmod(moment * _blocks(info), 1)
        audio = _read_block(info, int(block), sample_rate)
        segment = _cut(audio, int(within * _starts(len(audio), length)), length, sample_rate)
        if _is_audible(segment):
            return segment
    return _loud_segment(info, length, sample_rate)


def _loud_segment(info: AudioInfo, length: int, sample_rate: int) -> np.ndarray:
    """Cut (length,) samples around the peak of the first block that has one."""
    for block in range(_blocks(info)):
        audio = _read_block(info, block, sample_rate)
        distance = np.abs(audio - audio.mean(dtype=np.float64))
        peak = int(distance.argmax())
        if distance[peak] >= AUDIBLE_RMS:
            return _cut(audio, max(0, min(peak - length // 2, len(audio) - length)), length, sample_rate)
    raise AudioFileError(info.path, "is silent")


def _cut(audio: np.ndarray, start: int, length: int, sample_rate: int) -> np.ndarray:
    """Cut (length,) samples from (T,); what is shorter repeats."""
    if len(audio) >= length:
        return audio[start : start + length]
    return np.take(loop(audio, round(CROSS_FADE_SECONDS * sample_rate)), np.arange(length) + start, mode="wrap")


def _starts(available: int, length: int) -> int:
    """Count the places where a segment may begin; one that repeats may begin anywhere."""
    return available - length + 1 if available >= length else available


def _is_audible(audio: np.ndarray) -> bool:
    return float(np.std(audio, dtype=np.float64)) >= AUDIBLE_RMS


def _read_block(info: AudioInfo, block: int, sample_rate: int) -> np.ndarray:
    """Return one block of a file, mixed down and resampled; kept, because decoding would cost more than all else together."""

    def decode() -> np.ndarray:
        start, end = (number * info.frames // _blocks(info) for number in (block, block + 1))
        audio = audio_io.read(info.path, start, end - start).mean(axis=0, keepdims=True)
        resampled: np.ndarray = audio_io.resample(audio, info.sample_rate_hz, sample_rate)[0]
        return resampled

    return _blocks_read.get((info, block, sample_rate), decode)


def _blocks(info: AudioInfo) -> int:
    """Count the equal blocks of at most 30 s into which a file is divided."""
    return -(-info.frames // (BLOCK_SECONDS * info.sample_rate_hz))
