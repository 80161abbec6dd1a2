"""Change the sample rate of a stream, keeping sample 0 at time 0, so that nothing is missing of what is changed back.

From the lower of two rates to its double, and from its double to it, leads a filter whose gain falls at the edge of the band
like a quarter of a cosine: what passes of a band and of its image beyond the edge comes back at one place, cos^2 + sin^2 = 1
together (square-root raised cosine: Proakis and Salehi, Digital Communications, 5th ed., section 9.2-1). Between the double and
the higher rate stands SoX's band-limited, linear-phase resampler, which falls off above that edge.
"""

from functools import cache

import numpy as np
import soxr
import torch
from torch import Tensor
from torch.nn import functional

from models.streaming.fir import StreamingFilter

ROLL_OFF = 0.04
"""How far the edge reaches to either side, of the band."""
HALF_TAPS, KAISER_BETA = 512, 8.0
"""Of the filter, which lets no more than 0.5 % of a power change at the edge, and 120 dB less pass of images beyond it."""
GRID = 65536


class Resampler:
    """A stream from one sample rate to another; ceil(T * to / from) samples come out of T."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        self._from_hz, self._to_hz = from_hz, to_hz
        self._edge = StreamingFilter(edge_taps())
        self._sox = SoxStream(2 * from_hz, to_hz, channels) if from_hz < to_hz else SoxStream(from_hz, 2 * to_hz, channels)
        self._taken_samples = self._given_samples = self._thinned_samples = 0

    def push(self, block: Tensor) -> Tensor:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""
        if self._from_hz == self._to_hz or block.shape[-1] == 0:
            return block
        self._taken_samples += block.shape[-1]
        if self._from_hz < self._to_hz:
            return self._counted(self._sox.push(self._edge.push(stuffed(block))))
        return self._counted(self._thinned(self._edge.push(self._sox.push(block))))

    def flush(self) -> Tensor:
        """Return the rest (C, m); SoX rounds the length to the nearest sample, one that is missing is silent."""
        if self._taken_samples == 0:
            return self._sox.nothing
        if self._from_hz < self._to_hz:
            rest = torch.cat([self._sox.push(self._edge.flush()), self._sox.flush()], dim=-1)
        else:
            rest = self._thinned(torch.cat([self._edge.push(self._sox.flush()), self._edge.flush()], dim=-1))
        missing = -(-self._taken_samples * self._to_hz // self._from_hz) - self._given_samples
        return functional.pad(rest[:, :missing], (0, max(0, missing - rest.shape[-1])))

    def _thinned(self, block: Tensor) -> Tensor:
        """Return every second sample of the stream."""
        kept = block[:, self._thinned_samples % 2 :: 2]
        self._thinned_samples += block.shape[-1]
        return kept

    def _counted(self, block: Tensor) -> Tensor:
        self._given_samples += block.shape[-1]
        return block


class SoxStream:
    """SoX's resampler, a stream of float32 blocks (C, n)."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        self.nothing = torch.zeros(channels, 0)
        self._stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")

    def push(self, block: Tensor) -> Tensor:
        """Return the samples that are finished by now."""
        return self._resample(block, last=False) if block.shape[-1] else self.nothing

    def flush(self) -> Tensor:
        """Return the rest."""
        return self._resample(self.nothing, last=True)

    def _resample(self, block: Tensor, last: bool) -> Tensor:
        frames = np.ascontiguousarray(block.numpy().T)
        return torch.from_numpy(self._stream.resample_chunk(frames, last=last)).T


def stuffed(block: Tensor) -> Tensor:
    """Put a zero behind every sample, and double it.

    >>> stuffed(torch.tensor([[1.0, 2.0]]))
    tensor([[2., 0., 4., 0.]])
    """
    return torch.stack([2 * block, torch.zeros_like(block)], dim=-1).flatten(-2)


@cache
def edge_taps() -> Tensor:
    """Design the filter between a rate and its double, by sampling its frequency response.

    Returns:
        float64 taps (N,), symmetric, N odd.
    """
    place = torch.linspace(0, 2, GRID // 2 + 1, dtype=torch.float64)  # 1 at the edge of the band
    fallen = (0.5 + (place - 1) / (2 * ROLL_OFF)).clamp(0, 1)
    taps: Tensor = torch.fft.irfft((torch.pi / 2 * fallen).cos(), GRID).roll(HALF_TAPS)[: 2 * HALF_TAPS + 1]
    taps *= torch.kaiser_window(len(taps), periodic=False, beta=KAISER_BETA, dtype=torch.float64)
    return taps
