"""Interpolation back from the low-rate grid: cubic spline and band-limited sinc, the rows under every super-resolution.

Both take a full-rate signal whose band is limited, sample it at the low rate and draw a curve through these samples, so
whatever an earlier interpolation left above the band (images) goes. Any ratio of the rates works.
"""

from fractions import Fraction

import torch
from torch import Tensor

from models.classical.low_rate import rates_of
from models.classical.resampling import SINC, SPLINE, Kernel, resample
from models.restorer import SegmentedRestorer, segments_of

LARGEST_DENOMINATOR = 640  # holds every pair of common rates exactly (8,000 : 44,100 = 80 : 441); bounds the filters


class GridInterpolation(SegmentedRestorer):
    """Re-decimation to the low-rate grid, then interpolation back by a curve; of a segment of a long signal at a time."""

    identity_at_start = False
    level_free = True

    def __init__(self, kernel: Kernel, sample_rate: int, low_rate_hz: float | None) -> None:
        """Check the rates.

        Args:
            kernel: the curve drawn through the samples of the grid.
            sample_rate: rate of the signals in Hz.
            low_rate_hz: rate of the grid in Hz; None estimates it from each example.

        Raises:
            ValueError: if a rate is not positive or the low rate is above the sample rate.
        """
        check_rates(sample_rate, low_rate_hz)
        super().__init__(segments_of(sample_rate))
        self.kernel = kernel
        self.sample_rate = sample_rate
        self.low_rate_hz = low_rate_hz

    def restore_segment(self, corrupted: Tensor) -> Tensor:
        """Interpolate between the samples on the low-rate grid.

        Args:
            corrupted: full-rate signal (B, C, T), band-limited.

        Returns:
            Signal (B, C, T); an example in which no band limit is found is returned as it is.
        """
        rates = rates_of(corrupted, self.sample_rate, self.low_rate_hz)
        return self.through_grid(corrupted, rates)

    def through_grid(self, signal: Tensor, low_rates: list[float]) -> Tensor:
        """Interpolate each example of (B, C, T) from the grid of its own rate in Hz, of B rates; returns (B, C, T)."""
        restored = signal.clone()
        with torch.autocast(signal.device.type, enabled=False):
            for rate in {rate for rate in low_rates if rate < self.sample_rate}:
                chosen = [example for example, low_rate in enumerate(low_rates) if low_rate == rate]
                restored[chosen] = self._interpolate(signal[chosen].float(), rate).to(signal.dtype)
        return restored

    def _interpolate(self, signal: Tensor, low_rate_hz: float) -> Tensor:
        """Sample (B, C, T) on the grid and draw the curve at the full rate."""
        ratio = Fraction(low_rate_hz / self.sample_rate).limit_denominator(LARGEST_DENOMINATOR)
        samples = signal.shape[-1]
        points = int((samples - 1) * ratio) + 1
        grid = resample(signal.flatten(0, 1), 1 / ratio, points, SINC)
        curve: Tensor = resample(grid, ratio, samples, self.kernel).unflatten(0, signal.shape[:2])
        return curve


class CubicSpline(GridInterpolation):
    """Natural cubic spline, the input of Kuleshov, Enam and Ermon (2017, arXiv 1708.00853) and a row of their tables."""

    def __init__(self, sample_rate: int, low_rate_hz: float | None = None) -> None:
        """Set the rates in Hz; None as the low rate estimates it from each example."""
        super().__init__(SPLINE, sample_rate, low_rate_hz)


class Sinc(GridInterpolation):
    """Kaiser-windowed sinc, the ideal interpolation of band-limited signals."""

    def __init__(self, sample_rate: int, low_rate_hz: float | None = None) -> None:
        """Set the rates in Hz; None as the low rate estimates it from each example."""
        super().__init__(SINC, sample_rate, low_rate_hz)


def check_rates(sample_rate: int, low_rate_hz: float | None) -> None:
    """Refuse rates that make no grid.

    Raises:
        ValueError: if a rate is not positive or the low rate is above the sample rate.
    """
    if sample_rate <= 0:
        raise ValueError(f"sample_rate must be positive, got {sample_rate}")
    if low_rate_hz is not None and not sample_rate / LARGEST_DENOMINATOR <= low_rate_hz <= sample_rate:
        lowest = sample_rate / LARGEST_DENOMINATOR
        raise ValueError(f"low_rate_hz must be from {lowest:g} to sample_rate={sample_rate}, or null, got {low_rate_hz}")
