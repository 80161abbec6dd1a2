"""Oracles of super-resolution: the true lower band, and above its edge nothing, or noise that is told more and more of the truth.

Each bounds a class of methods. The brick wall has the highest SNR of all that leave the upper band empty; noise under the true
envelope shows what is had without fine structure, noise with the true magnitudes what is had without phase.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.fixed_noise import fixed_noise
from models.classical.interpolation import check_rates
from models.classical.low_rate import rates_of
from models.layers import stft
from models.restorer import Restorer

FFT_SAMPLES, HOP_SAMPLES = 2048, 512


class BrickWallOracle(Restorer):
    """Return the clean signal below the edge of the corrupted band, and nothing above it; subclasses fill that."""

    identity_at_start = False
    level_free = True
    window: Tensor

    def __init__(self, sample_rate: int, low_rate_hz: float | None = None) -> None:
        """Set the rates.

        Args:
            sample_rate: rate of the signals in Hz.
            low_rate_hz: twice the edge in Hz; None estimates it from each corrupted example.

        Raises:
            ValueError: as of `check_rates`.
        """
        check_rates(sample_rate, low_rate_hz)
        super().__init__()
        self.sample_rate = sample_rate
        self.low_rate_hz = low_rate_hz
        self.register_buffer("window", torch.hann_window(FFT_SAMPLES), persistent=False)

    @property
    def reach_samples(self) -> float:
        """The whole clean signal."""
        return math.inf

    def restore_with_clean(self, corrupted: Tensor, clean: Tensor) -> Tensor:
        """Return the lower band of the clean signal and what is made of the upper one.

        Args:
            corrupted: full-rate signal (B, C, T), band-limited.
            clean: the same signal with all of its band (B, C, T).

        Returns:
            Signal (B, C, T); an example in which no band limit is found is returned as it is.
        """
        rates = rates_of(corrupted, self.sample_rate, self.low_rate_hz)
        restored = corrupted.clone()
        for example, rate in enumerate(rates):
            if rate < self.sample_rate:
                low = below(clean[example].float(), rate / self.sample_rate)
                restored[example] = low + self.upper(clean[example].float() - low, rate / self.sample_rate)
        return restored

    def upper(self, high: Tensor, edge: float) -> Tensor:
        """Return what is heard above the edge, (C, T).

        Args:
            high: the upper band of the clean signal, (C, T).
            edge: where it begins, over half of the sample rate.
        """
        return torch.zeros_like(high)

    def analyze(self, signal: Tensor) -> Tensor:
        """Return the spectra (C, bins, frames) of (C, T), Hann windows of 2048 samples every 512."""
        return stft.analyze(signal, self.window, HOP_SAMPLES, edges="silent")

    def shaped(self, magnitude: Tensor, noise: Tensor, edge: float, samples: int) -> Tensor:
        """Return the signal (C, T) whose spectra above the edge are `magnitude` times `noise`, both (C, bins, frames)."""
        bins = torch.arange(magnitude.shape[1], device=magnitude.device) / (magnitude.shape[1] - 1)
        spectra = (bins >= edge)[:, None] * magnitude * noise
        return stft.synthesize(spectra, self.window, HOP_SAMPLES, samples)


class MagnitudeOracle(BrickWallOracle):
    """The true magnitudes above the edge, with the phases of noise."""

    def upper(self, high: Tensor, edge: float) -> Tensor:
        """See `BrickWallOracle`."""
        noise = self.analyze(fixed_noise(high, high.shape[-1]))
        return self.shaped(self.analyze(high).abs(), torch.sgn(noise), edge, high.shape[-1])


class EnvelopeOracle(BrickWallOracle):
    """Gaussian noise under the true power of bands of 33 bins and of each frame above the edge."""

    def upper(self, high: Tensor, edge: float) -> Tensor:
        """See `BrickWallOracle`."""
        power = stft.squared_magnitude(self.analyze(high)).mT  # (C, frames, bins)
        envelope = functional.avg_pool1d(power, 33, stride=1, padding=16, count_include_pad=False).mT
        noise = self.analyze(fixed_noise(high, high.shape[-1])) / self.window.square().sum().sqrt()
        return self.shaped(envelope.sqrt(), noise, edge, high.shape[-1])


def below(signal: Tensor, edge: float) -> Tensor:
    """Return what a signal (..., T) has below an edge, given over half of the sample rate; all of the bins from there on are 0.

    >>> below(torch.tensor([1.0, -1.0, 1.0, -1.0]) + 1, 0.5)
    tensor([1., 1., 1., 1.])
    """
    spectrum = torch.fft.rfft(signal)
    position = torch.arange(spectrum.shape[-1], device=signal.device) * 2 / signal.shape[-1]
    low: Tensor = torch.fft.irfft(spectrum * (position < edge), n=signal.shape[-1])
    return low
