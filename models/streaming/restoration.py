r"""Restore a stream of any sample rate with a method that works at a rate of its own.

What is added to the input is the *difference* the method makes, so that nothing else changes:

    output = input + strength * up(highpass(restore(down(input)) - down(input)))

The band above the method's Nyquist frequency stays as it was, and where the method changes nothing, the output is the
input to the last bit. Everything is linear-phase and aligned; memory holds one chunk whatever the stream's length.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from models.streaming.chunking import Chunking
from models.streaming.device_limits import lacking
from models.streaming.fir import StreamingFilter, highpass_taps
from models.streaming.overlap_add import OverlapAdd
from models.streaming.resampler import there_and_back

SHORTEST_CHUNK_SECONDS = 0.5


class Stage(Protocol):
    """A step of the way that takes a stream in blocks."""

    def push(self, block: Tensor) -> Tensor:
        """Take a block (C, n) and return the samples (C, m) that are finished by now, m >= 0."""

    def flush(self) -> Tensor:
        """Return the rest (C, m)."""


class RestorationError(ValueError):
    """A method that failed on a signal; the message says how."""


@dataclass(frozen=True)
class Settings:
    """How a method is applied.

    Args:
        strength: 0 returns the input, 1 the method's result.
        keep_low_band_hz: below it the input is kept as it was; 0 keeps nothing.
        chunk_seconds: asked of the method's division of long recordings; None is its own.
        overlap_seconds: asked of it; None is its own.

    Raises:
        ValueError: if one is out of range.
    """

    strength: float = 1.0
    keep_low_band_hz: float = 0.0
    chunk_seconds: float | None = None
    overlap_seconds: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.strength <= 1:
            raise ValueError(f"strength={self.strength} must be between 0 and 1")
        if not 0 <= self.keep_low_band_hz < math.inf:
            raise ValueError(f"keep_low_band_hz={self.keep_low_band_hz} must be a frequency in Hz, at least 0")
        if self.chunk_seconds is not None and not SHORTEST_CHUNK_SECONDS <= self.chunk_seconds < math.inf:
            raise ValueError(f"chunk_seconds={self.chunk_seconds} must be at least {SHORTEST_CHUNK_SECONDS:g}")
        longest = math.inf if self.chunk_seconds is None else self.chunk_seconds / 2
        if self.overlap_seconds is not None and not (
            0 <= self.overlap_seconds <= longest and math.isfinite(self.overlap_seconds)
        ):
            raise ValueError(f"overlap_seconds={self.overlap_seconds} must be at least 0, and at most half of chunk_seconds")


class RestorationStream:
    """Feed a signal in blocks and get it back restored, with the same length."""

    def __init__(
        self,
        restore: Callable[[Tensor], Tensor],
        chunking: Chunking,
        method_hz: int,
        signal_hz: int,
        channels: int,
        settings: Settings,
    ) -> None:
        """Connect the stages.

        Args:
            restore: maps float32 (B, C, T) at method_hz to the same shape.
            chunking: what the method sees at once, and how the pieces are joined, at method_hz.
            method_hz: the sample rate the method works at.
            signal_hz: the sample rate of the signal.
            channels: of the signal.
            settings: how the method is applied.
        """
        chunks = OverlapAdd(lambda chunk: _difference(restore, chunk), chunking)
        highpass = [StreamingFilter(highpass_taps(settings.keep_low_band_hz, method_hz))] if settings.keep_low_band_hz else []
        there, back = there_and_back(signal_hz, method_hz, channels)
        self._stages: list[Stage] = [there, chunks, *highpass, back]
        self._strength = settings.strength
        self._waiting = torch.zeros(channels, 0, dtype=torch.float64)  # input for which there is no difference yet

    def push(self, block: Tensor) -> Tensor:
        """Take a float64 block (C, n) and return the samples (C, m) that are finished by now, m >= 0.

        Raises:
            RestorationError: if the method fails.
        """
        self._waiting = torch.cat([self._waiting, block], dim=-1)
        difference = block.float()
        for stage in self._stages:
            difference = stage.push(difference)
        return self._add(difference)

    def flush(self) -> Tensor:
        """Return the rest (C, m).

        Raises:
            RestorationError: if the method fails.
        """
        difference = self._waiting[:, :0].float()
        for stage in self._stages:
            difference = torch.cat([stage.push(difference), stage.flush()], dim=-1)
        return self._add(difference)

    def _add(self, difference: Tensor) -> Tensor:
        length = min(difference.shape[-1], self._waiting.shape[-1])
        finished, self._waiting = self._waiting[:, :length], self._waiting[:, length:]
        return finished + self._strength * difference[:, :length]


def _difference(restore: Callable[[Tensor], Tensor], chunk: Tensor) -> Tensor:
    """Return what the method changes, (C, n)."""
    try:
        restored = restore(chunk[None])[0]
    except RuntimeError as error:  # Out of memory among others: told with the file's name, the next file may fit.
        told = lacking(error)
        reason = f"{told}; use --device cpu" if told else " ".join(str(error).split())[:200]
        raise RestorationError(f"the method failed: {reason}") from error
    if restored.shape != chunk.shape:
        raise RestorationError(f"the method turned a signal of shape {(*chunk.shape,)} into {(*restored.shape,)}")
    if not bool(torch.isfinite(restored).all()):
        raise RestorationError("the method gave NaN or infinite samples")
    return restored - chunk
