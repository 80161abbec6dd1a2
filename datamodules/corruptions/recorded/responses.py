"""Recorded room impulse responses from a folder, aligned on their direct sound."""

import functools

import numpy as np
import torch
from torch import Tensor

from datamodules import draws
from datamodules.audio import io as audio_io
from datamodules.corruptions.recorded.files import RecordedFiles

BEFORE_DIRECT_SECONDS = 0.001
"""What is kept before the direct sound's peak: it rings in most recordings."""

_DIRECT_TO_BEFORE = 2.5  # The direct part lasts 2.5 ms from its peak.
_CACHED_RESPONSES = 512


class RecordedResponses(RecordedFiles):
    """The usable impulse responses of a folder; every channel of a file is a response of its own.

    All files are decoded once at the beginning, so that a damaged one cannot end the run later.
    """

    kind = "rir"

    def check_file(self, info: audio_io.AudioInfo) -> None:
        """Decode a file to its end; see `RecordedFiles`."""
        silent = np.flatnonzero(~audio_io.read(info.path).any(axis=1))
        if len(silent):
            raise audio_io.AudioFileError(info.path, f"is no impulse response: channel {silent[0] + 1} is silent")

    def draw(self, count: int, sample_rate: int, generator: torch.Generator) -> tuple[Tensor, int]:
        """Draw responses, all files equally likely.

        Args:
            count: how many.
            sample_rate: rate in Hz to which they are resampled.
            generator: only source of randomness.

        Returns:
            Responses (count, L) in CPU memory, zero behind their ends, and the index of their direct sound, which has the energy
            of a unit impulse.
        """
        drawn = []
        for file, channel in draws.uniform(0, 1, (count, 2), generator).tolist():
            info = self._files[int(file * len(self._files))]
            drawn.append(_aligned_response(info, int(channel * info.channels), sample_rate))
        responses = np.zeros((count, max(map(len, drawn))), dtype=np.float32)
        for row, response in zip(responses, drawn, strict=True):
            row[: len(response)] = response
        return torch.from_numpy(responses), _samples_before_direct(sample_rate)


def align(response: np.ndarray, before_samples: int) -> np.ndarray:
    """Move the direct sound of a response to a fixed place and scale it to the energy of a unit impulse.

    The direct sound is the highest point within a millisecond (`before_samples`) of the first moment that reaches half the
    maximum: in some rooms a reflection is louder than it. A loudspeaker smears it, so its level is taken over the 2.5
    milliseconds after it (the direct part of Zahorik, "Direct-to-reverberant energy ratio sensitivity", 2002); scaled by the
    one highest sample, most measured rooms would amplify music by 10 dB and more.

    Args:
        response: (L,), not silent.
        before_samples: place of the direct sound in the result.

    Returns:
        (L',).
    """
    level = np.abs(response)
    first = int(np.argmax(level >= level.max() / 2))
    direct = first + int(np.argmax(level[first : first + before_samples + 1]))
    lead = np.zeros(max(0, before_samples - direct), dtype=response.dtype)
    part = response[max(0, direct - before_samples) : direct + round(_DIRECT_TO_BEFORE * before_samples) + 1]
    scale = np.copysign(np.sqrt(np.sum(np.square(part))), response[direct])
    aligned: np.ndarray = np.concatenate([lead, response[max(0, direct - before_samples) :]]) / scale
    return aligned


@functools.lru_cache(maxsize=_CACHED_RESPONSES)
def _aligned_response(info: audio_io.AudioInfo, channel: int, sample_rate: int) -> np.ndarray:
    """Decode, resample and align one response; kept, because this costs more than the convolution."""
    response = audio_io.resample(audio_io.read(info.path)[channel : channel + 1], info.sample_rate_hz, sample_rate)[0]
    return align(response, _samples_before_direct(sample_rate))


def _samples_before_direct(sample_rate: int) -> int:
    return round(BEFORE_DIRECT_SECONDS * sample_rate)
