"""Change the sample rate of a stream, keeping sample 0 at time 0, and lose nothing of a band that is changed back.

SoX's band-limited, linear-phase resampler falls off in the last 9 % of the lower band. Where a signal goes up to a method of a
higher rate and comes back, what the method does there would be lost. So from its rate to the double, and from the double to it,
leads a filter whose gain falls at the edge of the band like a quarter of a cosine: what passes of the band and of its image
beyond the edge comes back at one place, cos^2 + sin^2 = 1 together (square-root raised cosine: Proakis and Salehi, Digital
Communications, 5th ed., section 9.2-1). Between the double and the method's rate stands SoX's resampler, whose fall-off lies
above that edge for rates that are 9 % apart or more. A signal of a higher rate than the method's has sound beyond the edge,
which must not fold: there SoX alone resamples.
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
"""Of the filter: powers at the edge change by 0.5 % at most, and from 1.05 times the edge on images are 110 dB down."""
GRID = 65536
"""Frequencies that it is sampled at, all around the circle."""


class Resampler:
    """A stream from one sample rate to another by SoX; ceil(T * to / from) samples come out of T."""

    doubled: tuple[int, int] = (1, 1)
    """What SoX resamples between, as multiples of both rates."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        self._counter = Counter(from_hz, to_hz)
        self._sox = SoxStream(self.doubled[0] * from_hz, self.doubled[1] * to_hz, channels)

    def push(self, block: Tensor) -> Tensor:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""
        return self._counter.counted(block, self._sox.push(block))

    def flush(self) -> Tensor:
        """Return the rest (C, m); SoX rounds the length to the nearest sample, one that is missing is silent."""
        return self._counter.completed(self._sox.flush())


class Upward(Resampler):
    """A stream to a higher rate, with all of its band and a little of what mirrors it."""

    doubled = (2, 1)

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        super().__init__(from_hz, to_hz, channels)
        self._edge = StreamingFilter(edge_taps())

    def push(self, block: Tensor) -> Tensor:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""
        return self._counter.counted(block, self._sox.push(self._edge.push(stuffed(block))))

    def flush(self) -> Tensor:
        """Return the rest (C, m)."""
        return self._counter.completed(torch.cat([self._sox.push(self._edge.flush()), self._sox.flush()], dim=-1))


class Downward(Resampler):
    """A stream back to the lower rate that `Upward` took it from."""

    doubled = (1, 2)

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        """Start a stream at time 0."""
        super().__init__(from_hz, to_hz, channels)
        self._edge = StreamingFilter(edge_taps())
        self._thinned_samples = 0

    def push(self, block: Tensor) -> Tensor:
        """Take a float32 block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""
        return self._counter.counted(block, self._thinned(self._edge.push(self._sox.push(block))))

    def flush(self) -> Tensor:
        """Return the rest (C, m)."""
        rest = torch.cat([self._edge.push(self._sox.flush()), self._edge.flush()], dim=-1)
        return self._counter.completed(self._thinned(rest))

    def _thinned(self, block: Tensor) -> Tensor:
        """Return every second sample of the stream."""
        kept = block[:, self._thinned_samples % 2 :: 2]
        self._thinned_samples += block.shape[-1]
        return kept


def there_and_back(signal_hz: int, method_hz: int, channels: int) -> tuple[Resampler, Resampler]:
    """Return the streams from the rate of a signal to that of a method, and of what it changes back."""
    there, back = (Upward, Downward) if signal_hz < method_hz else (Resampler, Resampler)
    return there(signal_hz, method_hz, channels), back(method_hz, signal_hz, channels)


class Counter:
    """Make a stream of T samples one of ceil(T * to / from)."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._from_hz, self._to_hz = from_hz, to_hz
        self._taken_samples = self._given_samples = 0

    def counted(self, taken: Tensor, given: Tensor) -> Tensor:
        """Note a block that came in and what comes out, which is returned."""
        self._taken_samples += taken.shape[-1]
        self._given_samples += given.shape[-1]
        return given

    def completed(self, rest: Tensor) -> Tensor:
        """Return the rest of a stream with silence at its end, or without what is too much."""
        missing = -(-self._taken_samples * self._to_hz // self._from_hz) - self._given_samples
        return functional.pad(rest[:, :missing], (0, max(0, missing - rest.shape[-1])))


class SoxStream:
    """SoX's resampler, a stream of float32 blocks (C, n); between equal rates, these themselves."""

    def __init__(self, from_hz: int, to_hz: int, channels: int) -> None:
        self._nothing = torch.zeros(channels, 0)
        self._stream = None if from_hz == to_hz else soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32")

    def push(self, block: Tensor) -> Tensor:
        """Return the samples that are finished by now."""
        return self._resample(block, last=False) if block.shape[-1] else block

    def flush(self) -> Tensor:
        """Return the rest."""
        return self._resample(self._nothing, last=True)

    def _resample(self, block: Tensor, last: bool) -> Tensor:
        if self._stream is None:
            return block
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
