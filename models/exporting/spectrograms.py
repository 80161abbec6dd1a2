"""The spectrograms of `models.layers.spectrogram_patches` by products with matrices."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.exporting.transform import MatrixTransform
from models.layers.spectrogram_patches import STRIDE, ComplexSpectrum, MagnitudeSpectrum

TINY = 1e-30
"""Squared magnitude below which a phase is none."""


class MatrixSpectrogram(nn.Module):
    """Stand in for a `ComplexSpectrum` or a `MagnitudeSpectrum`.

    Args:
        spectrum: to stand in for.

    Raises:
        NotExportableError: if its hop does not go into its window.
    """

    def __init__(self, spectrum: ComplexSpectrum) -> None:
        super().__init__()
        self.is_magnitude = isinstance(spectrum, MagnitudeSpectrum)
        self.fft_samples, self.hop_samples = spectrum.fft_samples, spectrum.hop_samples
        self.channels, self.scale = spectrum.channels, spectrum.scale
        self.transform = MatrixTransform(spectrum.window, spectrum.hop_samples)

    def analyze(self, signal: Tensor) -> Tensor:
        """Map (N, T) to (N, channels, fft_samples / 2, L)."""
        real, imaginary = self._parts(signal)
        if self.is_magnitude:
            return (real.square() + imaginary.square()).sqrt()[:, None, :-1]
        first = torch.cat([real[:, -1:], imaginary[:, 1:-1]], dim=1)
        return torch.stack([real[:, :-1], first], dim=1)

    def synthesize(self, spectrum: Tensor, signal: Tensor) -> Tensor:
        """Map (N, channels, fft_samples / 2, L) to a signal (N, T) as long as the one that was analyzed."""
        if self.is_magnitude:
            real, imaginary = self._parts(signal)
            share = functional.pad(spectrum[:, 0], (0, 0, 0, 1)) * (real.square() + imaginary.square() + TINY).rsqrt()
            real, imaginary = real * share, imaginary * share
        else:
            first, second = spectrum[:, 0], spectrum[:, 1]
            edge = torch.zeros_like(second[:, :1])
            real = torch.cat([first, second[:, :1]], dim=1)
            imaginary = torch.cat([edge, second[:, 1:], edge], dim=1)
        return self.transform.synthesize(real / self.scale, imaginary / self.scale)[:, : signal.shape[-1]]

    def _parts(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        filled = functional.pad(signal, (0, -(signal.shape[-1] + self.hop_samples) % (STRIDE * self.hop_samples)))
        real, imaginary = self.transform.analyze(filled)
        return self.scale * real, self.scale * imaginary
