"""Echoes: the sound again after a delay, and again, each time quieter."""

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import convolve
from datamodules.corruptions.settings import positive_range, range_within, whole_range
from datamodules.draws import Range, integers, uniform


class Echo(Corruption):
    """Add `sum_k decay^k x[n - k delay]`, k from 1 to `repeats`; the direct sound keeps its place and level."""

    def __init__(self, delay_ms: Range = (60.0, 400.0), decay: Range = (0.2, 0.6), repeats: Range = (1, 4)) -> None:
        """Check the ranges.

        Args:
            delay_ms: time from one repetition to the next in milliseconds.
            decay: level of a repetition over that of the one before it.
            repeats: how many there are.

        Raises:
            ValueError: if a range is not one, or is outside of what is possible.
        """
        self._delay_ms = positive_range(delay_ms, "delay_ms")
        self._decay = range_within(decay, "decay", 0.0, 1.0)
        self._repeats = whole_range(repeats, "repeats", 1, 1000)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the batch with its echoes; see `Corruption`. No sound from before the window is heard in it."""
        batch, length = clean.shape[0], clean.shape[-1]
        audio = clean.to(torch.promote_types(clean.dtype, torch.float32))
        delay = uniform(*self._delay_ms, (batch, 1), generator) * (sample_rate / 1000)
        decay = uniform(*self._decay, (batch, 1), generator)
        repeats = integers(*self._repeats, (batch, 1), generator)
        number = torch.arange(1, self._repeats[1] + 1, device=generator.device)
        place = delay.round().clamp_min(1).long() * number  # (B, R)
        gain = decay**number * ((number <= repeats) & (place < length))
        response = torch.zeros(batch, length).scatter_add_(1, place.clamp_max(length - 1).cpu(), gain.cpu())
        return (audio + convolve(audio, response.to(audio), 0)).to(clean.dtype)
