"""Acoustic feedback (Larsen effect): a microphone hears its own loudspeaker, and the loop rings where it passes sound best.

The loop is linear and just stable: y = x + g B(y delayed), with a band-pass B of unit gain and zero phase at its center (Robert
Bristow-Johnson, "Cookbook formulae for audio equalizer biquad filter coefficients"). Ringing falls by |g| in dB a round trip.
"""

import math

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import convolve
from datamodules.corruptions.dsp.transfer import Circle
from datamodules.corruptions.settings import positive_range, range_within
from datamodules.draws import Range, uniform

LOUDEST_DB = -0.1
QUALITY = 4.0
"""Center frequency over bandwidth of the band-pass in the loop."""
HIGHEST_SHARE = 0.45
"""Highest center frequency over the sample rate."""


class Feedback(Corruption):
    """Send each example through a loop that rings; the direct sound keeps its place and level."""

    def __init__(
        self, delay_ms: Range = (3.0, 30.0), loop_gain_db: Range = (-6.0, -0.5), frequency_hz: Range = (300.0, 3000.0)
    ) -> None:
        """Check the ranges.

        Args:
            delay_ms: time of a round trip in milliseconds.
            loop_gain_db: gain of a round trip in dB, at most -0.1: at 0 the ringing would not end.
            frequency_hz: near which it rings; at most 0.45 of the sample rate is used.

        Raises:
            ValueError: if a range is not one, or is outside of what is possible.
        """
        self._delay_ms = positive_range(delay_ms, "delay_ms")
        self._loop_gain_db = range_within(loop_gain_db, "loop_gain_db", -120.0, LOUDEST_DB)
        self._frequency_hz = positive_range(frequency_hz, "frequency_hz")

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the ringing batch; see `Corruption`. No sound from before the window is heard in it."""
        batch = clean.shape[0]
        audio = clean.to(torch.promote_types(clean.dtype, torch.float32))
        delay = (uniform(*self._delay_ms, (batch,), generator) * (sample_rate / 1000)).round().clamp_min(1)
        gain = 10 ** (uniform(*self._loop_gain_db, (batch, 1), generator) / 20)
        center = uniform(*self._frequency_hz, (batch, 1), generator).clamp_max(HIGHEST_SHARE * sample_rate) / sample_rate
        circle = Circle(audio.shape[-1], audio.device)
        loop = gain.to(audio.device) * _band_pass(center.to(audio.device), circle) * circle.delay(delay.to(audio.device))
        return convolve(audio, circle.response(1 / (1 - loop)).to(audio), 0).to(clean.dtype)


def _band_pass(center: Tensor, circle: Circle) -> Tensor:
    """Evaluate a (1 - z^-2) / (1 + a - 2 cos(w) z^-1 + (1 - a) z^-2), a = sin(w) / 2Q, for centers w / 2 pi, (B, 1)."""
    angle = 2 * math.pi * center
    width = angle.sin() / (2 * QUALITY)
    once, twice = (circle.delay(torch.tensor([samples], device=center.device)) for samples in (1, 2))
    return width * (1 - twice) / (1 + width - 2 * angle.cos() * once + (1 - width) * twice)
