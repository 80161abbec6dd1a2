"""Cubic spline plus white noise far below hearing: the row that shows what a floor under both spectra does to an LSD.

Noise of -80 dBFS says nothing about the lost band, yet lifts its empty bins towards those of the clean signal. A method whose LSD
is no better than this row's has not shown that it restores the band.
"""

import torch
from torch import Tensor

from models.classical.fixed_noise import fixed_noise
from models.classical.interpolation import CubicSpline
from models.classical.low_rate import rates_of
from models.restorer import SegmentedRestorer, segments_of


class SplineWhite(SegmentedRestorer):
    """Interpolate with a cubic spline and add white Gaussian noise of a fixed level."""

    identity_at_start = False

    def __init__(self, sample_rate: int, low_rate_hz: float | None = None, level_dbfs: float = -80.0) -> None:
        """Set the rates and the level.

        Args:
            sample_rate: rate of the signals in Hz.
            low_rate_hz: rate the band was limited to in Hz; None estimates it from each example.
            level_dbfs: RMS level of the noise in dB, 0 being that of a constant 1.
        """
        super().__init__(segments_of(sample_rate))
        self.spline = CubicSpline(sample_rate, low_rate_hz)
        self.sample_rate = sample_rate
        self.low_rate_hz = low_rate_hz
        self.level_dbfs = level_dbfs

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Interpolate and add noise; the same input always gets the same noise.

        Args:
            corrupted: full-rate signal (B, C, T), band-limited.

        Returns:
            Signal (B, C, T); an example in which no band limit is found is returned as it is.
        """
        rates = rates_of(corrupted, self.sample_rate, self.low_rate_hz)
        limited = torch.tensor([rate < self.sample_rate for rate in rates], device=corrupted.device)
        noise = 10 ** (self.level_dbfs / 20) * fixed_noise(corrupted, self.segments.hop_samples)
        return self.spline.through_grid(corrupted, rates) + (limited[:, None, None] * noise).to(corrupted.dtype)
