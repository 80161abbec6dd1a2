"""Gaussian noise with sparse transients: the crackle of old records and bad connections.

After the noise generator of ColinShaw/python-neural-network-audio-reconstruction (public repository), whose ranges are the
defaults: deviation 0.01 to 0.1, transients with a probability of at most 1e-4 per sample and an amplitude of at most 0.5.
"""

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.settings import range_within
from datamodules.draws import Range, as_range, normal, uniform


class Impulses(Corruption):
    """Add normal noise and single-sample transients of absolute levels, as numbers relative to full scale.

    Each example draws a deviation, a probability and an amplitude, shared by its channels. Every sample of every channel then
    gets normal noise of that deviation and, with that probability, a transient of exactly that amplitude and of either
    sign. Levels do not follow the audio: quiet passages suffer more, and silence receives noise as well.
    """

    def __init__(self, deviation: Range = (0.01, 0.1), probability: Range = (0.0, 1e-4), amplitude: Range = (0.0, 0.5)) -> None:
        """Check the ranges, each a number or `[low, high]`.

        Args:
            deviation: standard deviation of the normal noise, full scale 1.
            probability: probability of a transient at each sample; 1e-4 at 16 kHz is 1.6 per second, at 48 kHz 4.8.
            amplitude: height of the transients, full scale 1.

        Raises:
            ValueError: if a range is not one, a probability is not within 0 to 1, or a level is negative.
        """
        self._deviation = as_range(deviation, "deviation")
        self._probability = range_within(probability, "probability", 0.0, 1.0)
        self._amplitude = as_range(amplitude, "amplitude")
        if self._deviation[0] < 0 or self._amplitude[0] < 0:
            raise ValueError(f"deviation={deviation!r} and amplitude={amplitude!r} must not be negative")

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Add noise and transients to a batch.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz, without influence.
            generator: only source of randomness.

        Returns:
            Noisy audio, (B, C, T).
        """
        per_example = (clean.shape[0], 1, 1)
        deviation = uniform(*self._deviation, per_example, generator)
        probability = uniform(*self._probability, per_example, generator)
        amplitude = uniform(*self._amplitude, per_example, generator)
        noise = normal(tuple(clean.shape), generator) * deviation
        chance = uniform(0.0, 1.0, tuple(clean.shape), generator)
        signs = (chance < probability / 2).float() - (chance >= 1 - probability / 2).float()
        return clean + noise.addcmul_(signs, amplitude).to(clean)
