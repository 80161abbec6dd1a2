"""Distances of speech that look at its short-term spectrum: log-likelihood ratio and weighted spectral slope.

Both as in the composite measures of Hu and Loizou (2008), "Evaluation of objective quality measures for speech enhancement":
30 ms frames that overlap by three quarters, and the mean over the 95 % of them with the smallest distance. Audio of a rate above
16 kHz is resampled to that.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from lightning_modules.metrics.frames import speech_frames
from lightning_modules.metrics.lsd import infinite_if_undefined
from lightning_modules.metrics.resampling import at_speech_rate

KEPT_SHARE = 0.95
SILENT_POWER = 1e-12
"""Added to the power of a frame, so that silence has a predictor."""
FLOOR_POWER = 1e-10
CENTERS_HZ = (
    *(50.0, 120.0, 190.0, 260.0, 330.0, 400.0, 470.0, 540.0, 617.372, 703.378, 798.717, 904.128, 1020.38, 1148.30, 1288.72),
    *(1442.54, 1610.70, 1794.16, 1993.93, 2211.08, 2446.71, 2701.97, 2978.04, 3276.17, 3597.63),
)
WIDTHS_HZ = (
    *(70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 70.0, 77.3724, 86.0056, 95.3398, 105.411, 116.256, 127.914, 140.423, 153.823),
    *(168.154, 183.457, 199.776, 217.153, 235.631, 255.255, 276.072, 298.126, 321.465, 346.136),
)
"""Of the critical bands of Klatt (1982)."""
LARGEST_WEIGHT, LOCAL_WEIGHT = 20.0, 1.0
"""Constants of Klatt's weights: of the distance to the largest, and to the nearest peak, in dB."""


def llr(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the log-likelihood ratio ln(a' R a'^T / a R a^T) of Itakura (1975), averaged over frames and channels.

    R is the autocorrelation of the clean frame, a its linear predictor and a' that of the restored one, of order 16 (10 below
    10 kHz).

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: rate in Hz.

    Returns:
        Values (B,); 0 is perfect, infinity is a restoration with NaN.
    """
    return _over_frames(_llr_of_frames, restored, clean, sample_rate)


def wss(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the weighted spectral slope distance of Klatt (1982), averaged over frames and channels.

    Slopes of the spectrum in dB over 25 critical bands up to 3.6 kHz; those near peaks weigh more.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: rate in Hz, at least 8 kHz.

    Returns:
        Values (B,); 0 is perfect, infinity is a restoration with NaN.
    """
    return _over_frames(_wss_of_frames, restored, clean, sample_rate)


def _over_frames(of_frames: Callable[[Tensor, Tensor, int], Tensor], restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the mean over the best frames and all channels, (B,), of a distance of frames (..., frames, samples)."""
    signals = [at_speech_rate(signal, sample_rate) for signal in (restored, clean)]
    frames = [speech_frames(signal.cpu().double(), rate_hz) for signal, rate_hz in signals]
    distances, _ = of_frames(frames[0], frames[1], signals[0][1]).sort(dim=-1)  # NaN comes last
    kept = max(1, round(KEPT_SHARE * distances.shape[-1]))
    value = distances[..., :kept].mean(dim=(1, 2))
    broken = ~restored.isfinite().all(dim=2).all(dim=1).cpu()
    return infinite_if_undefined(torch.where(broken, math.inf, value)).to(clean.dtype).to(clean.device)


def _llr_of_frames(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    order = 10 if sample_rate < 10_000 else 16
    of_clean, of_restored = _correlations(clean, order), _correlations(restored, order)
    ratio = _residual(_predictor(of_restored), of_clean) / _residual(_predictor(of_clean), of_clean)
    return ratio.clamp_min(1.0).log()  # no predictor is better than the frame's own


def _correlations(frames: Tensor, order: int) -> Tensor:
    """Return the autocorrelation matrices of frames (..., samples), (..., order + 1, order + 1)."""
    frames = frames.nan_to_num(0.0, 0.0, 0.0)  # a matrix with NaN has no solution; the caller knows of them
    samples = frames.shape[-1]
    lags = torch.stack([(frames[..., : samples - lag] * frames[..., lag:]).sum(dim=-1) for lag in range(order + 1)], dim=-1)
    lags[..., 0] = lags[..., 0] * (1 + SILENT_POWER) + SILENT_POWER
    steps = torch.arange(order + 1, device=frames.device)
    return lags[..., (steps[:, None] - steps).abs()]


def _predictor(correlations: Tensor) -> Tensor:
    """Return the errors' filters [1, -a_1, ..., -a_P] that correlations (..., P + 1, P + 1) lead to, (..., P + 1)."""
    coefficients = torch.linalg.solve(correlations[..., 1:, 1:], correlations[..., 1:, 0])
    return torch.cat([torch.ones_like(coefficients[..., :1]), -coefficients], dim=-1)


def _residual(predictor: Tensor, correlations: Tensor) -> Tensor:
    return torch.einsum("...i,...ij,...j->...", predictor, correlations, predictor)


def _wss_of_frames(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    levels = [_levels_db(frames, sample_rate) for frames in (restored, clean)]
    weights = (_weights(levels[0]) + _weights(levels[1])) / 2
    squares = (levels[0].diff(dim=-1) - levels[1].diff(dim=-1)).square()
    return (weights * squares).sum(dim=-1) / weights.sum(dim=-1)


def _levels_db(frames: Tensor, sample_rate: int) -> Tensor:
    """Return the levels (..., 25) of frames (..., samples) in critical bands."""
    n_fft = 2 ** math.ceil(math.log2(2 * frames.shape[-1]))
    power = torch.fft.rfft(frames, n_fft)[..., : n_fft // 2].abs().square()
    return 10 * torch.log10((power @ _critical_bands(n_fft, sample_rate).to(power).T).clamp_min(FLOOR_POWER))


def _critical_bands(n_fft: int, sample_rate: int) -> Tensor:
    """Return Gaussian weights (25, n_fft / 2) of equal sums, zero where they are below -30 dB."""
    bins_per_hz = n_fft / sample_rate
    centers, widths = (torch.tensor(values, dtype=torch.float64)[:, None] * bins_per_hz for values in (CENTERS_HZ, WIDTHS_HZ))
    offsets = (torch.arange(n_fft // 2, dtype=torch.float64) - centers.floor()) / widths
    weights = torch.exp(-11 * offsets.square()) * widths[0] / widths
    return torch.where(weights > math.exp(-30 / (2 * 2.303)), weights, 0.0)


def _weights(levels_db: Tensor) -> Tensor:
    """Return Klatt's weights (..., 24) of the slopes between levels (..., 25): larger near peaks."""
    lower = levels_db[..., :-1]
    to_largest = levels_db.amax(dim=-1, keepdim=True) - lower
    to_nearest = _nearest_peaks_db(levels_db) - lower
    return LARGEST_WEIGHT / (LARGEST_WEIGHT + to_largest) * LOCAL_WEIGHT / (LOCAL_WEIGHT + to_nearest)


def _nearest_peaks_db(levels_db: Tensor) -> Tensor:
    """Return for every slope the level of the peak it leads up to, (..., 24).

    Up a rising slope that is, as in the authors' program, the band before the top.
    """
    slopes = levels_db.diff(dim=-1)
    count = slopes.shape[-1]
    rising, falling = [levels_db[..., count - 1]], [levels_db[..., 0]]
    for band in range(count - 2, -1, -1):
        rising.insert(0, torch.where(slopes[..., band + 1] > 0, rising[0], levels_db[..., band]))
    for band in range(1, count):
        falling.append(torch.where(slopes[..., band - 1] <= 0, falling[-1], levels_db[..., band]))
    return torch.where(slopes > 0, torch.stack(rising, dim=-1), torch.stack(falling, dim=-1))
