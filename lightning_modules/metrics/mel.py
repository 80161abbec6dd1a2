"""Distances between spectra as coarse as hearing: on the mel scale, no deeper than 60 dB below the loudest bin of a frame."""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from lightning_modules.metrics.lsd import HANN_2048, Framing, SpectralMetric, as_deep, infinite_if_undefined

BANDS = 80
CEPSTRA = 24
"""Of a mel-cepstral distance: those without level (0) and without the detail between neighbouring bands."""


@dataclass(frozen=True)
class MelDistance(SpectralMetric):
    """Mean over frames of the RMS over mel bands of the difference of log10 powers, averaged over channels.

    Attributes:
        sample_rate: of the signals in Hz.
        from_hz: bands whose middle is below do not count.
    """

    sample_rate: int
    from_hz: float
    framing: Framing = HANN_2048

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,), infinite where a signal is not finite."""
        first = int((mel_middles_hz(self.sample_rate) < self.from_hz).sum())
        ratio = _log_ratio(restored, clean, self.sample_rate)[..., min(first, BANDS - 1) :, :]
        return infinite_if_undefined(ratio.square().mean(dim=-2).sqrt().mean(dim=(-2, -1)))


@dataclass(frozen=True)
class MelCepstralDistance(SpectralMetric):
    """Mean over frames of 10 / ln 10 sqrt(2 sum_k (c_k - c'_k)^2) in dB, averaged over channels (Kubichek 1993).

    c_1 ... c_24 are the cosine coefficients of the natural log amplitude over 80 mel bands, as in log A_n = c_0 +
    sum_k c_k cos(pi k (n + 1/2) / 80): all 79 of them would give the RMS over bands of the difference in dB without its mean.
    Others compute cepstra otherwise, so that values of other programs cannot be compared.

    Attributes:
        sample_rate: of the signals in Hz.
    """

    sample_rate: int
    framing: Framing = HANN_2048

    def from_powers(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare power spectrograms (B, C, bins, frames); returns (B,), infinite where a signal is not finite."""
        log_amplitudes = math.log(10.0) / 2 * _log_ratio(restored, clean, self.sample_rate)
        cepstra = _cosines().to(log_amplitudes) @ log_amplitudes  # (B, C, 24, frames)
        per_frame = 10 / math.log(10.0) * math.sqrt(2.0) * torch.linalg.vector_norm(cepstra, dim=-2)
        return infinite_if_undefined(per_frame.mean(dim=(-2, -1)))


def mel_hf(sample_rate: int, cutoff_hz: float) -> MelDistance:
    """Return the log-mel distance above a cut-off; rate and cut-off in Hz."""
    return MelDistance(sample_rate, cutoff_hz)


def mcd_db(sample_rate: int, cutoff_hz: float) -> MelCepstralDistance:
    """Return the mel-cepstral distance; rate in Hz, the cut-off has no influence."""
    return MelCepstralDistance(sample_rate)


def mel_middles_hz(sample_rate: int) -> Tensor:
    """Return the middles (80,) in Hz of bands that lie evenly on the mel scale, 2595 log10(1 + f / 700), up to half the rate."""
    return _edges_hz(sample_rate)[1:-1]


@lru_cache(maxsize=8)
def mel_bands(sample_rate: int) -> Tensor:
    """Return the weights (80, bins) of triangular bands over the bins of `HANN_2048`; those of a band sum to 1.

    A band is at least two bins wide, so that at high rates, too, every one has a bin.
    """
    spacing_hz = sample_rate / HANN_2048.n_fft
    edges = _edges_hz(sample_rate)[:, None]
    frequencies = torch.arange(HANN_2048.n_fft // 2 + 1, dtype=torch.float64) * spacing_hz
    rises, falls = edges[1:-1] - edges[:-2], edges[2:] - edges[1:-1]  # (80, 1)
    offset = frequencies - edges[1:-1]  # (80, bins)
    widths = torch.where(offset < 0, rises, falls).clamp_min(spacing_hz)
    weights = (1 - offset.abs() / widths).clamp_min(0)
    return (weights / weights.sum(dim=1, keepdim=True)).float()


def _edges_hz(sample_rate: int) -> Tensor:
    highest = 2595 * math.log10(1 + sample_rate / 2 / 700)
    return 700 * (10 ** (torch.linspace(0, highest, BANDS + 2, dtype=torch.float64) / 2595) - 1)


def _log_ratio(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return log10 of the ratio of mel powers, (B, C, bins, frames) to (B, C, 80, frames)."""
    bands = mel_bands(sample_rate).to(clean)
    powers = [bands @ power for power in as_deep(restored, clean)]
    return torch.log10(powers[0] / powers[1])


@lru_cache(maxsize=1)
def _cosines() -> Tensor:
    """Return the weights (24, 80) that take log amplitudes of bands to c_1 ... c_24."""
    order = torch.arange(1, CEPSTRA + 1, dtype=torch.float64)[:, None]
    band = torch.arange(BANDS, dtype=torch.float64) + 0.5
    return (2 / BANDS * torch.cos(torch.pi * order * band / BANDS)).float()
