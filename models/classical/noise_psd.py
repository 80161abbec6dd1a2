"""Blind estimate of the power spectrum of stationary noise, from the quiet moments of a noisy signal.

In a time-frequency bin that holds noise alone the power is exponentially distributed, so that its quantile of order q is
-ln(1 - q) times its mean. Sound only adds power: the lowest of the means that several low quantiles imply is the noise, the
idea of minimum statistics (Martin 2001) and of quantile-based estimation (Stahl, Fischer and Bippus 2000). Neighboring bins
are pooled, as noise is smooth over frequency and music is not, after the spectrum's tilt has been taken out.
"""

import itertools

import torch
from torch import Tensor
from torch.nn import functional

QUANTILES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
POOLED_BINS = 24  # on each side
POOL_STEP = 8  # bins between the centers of two pools; the estimate is interpolated in between
TILT_BANDS = 12
STEEPEST_TILT = 2.0  # exponent of brown noise: power ~ 1 / f^2
SILENCE = 1e-12  # power; far below the 3e-8 that 16-bit rounding leaves in a frame of 800 samples


def estimate_noise_psd(power: Tensor) -> Tensor:
    """Estimate the mean noise power per bin; power that does not look like stationary noise is not counted.

    Args:
        power: power spectrogram (N, frames, bins) of noisy signals. Silent bins take no part.

    Returns:
        Noise power (N, 1, bins), at least SILENCE.
    """
    bins = power.shape[-1]
    whitening = torch.arange(bins, device=power.device).clamp(min=0.5) ** _tilt(power)[:, None]  # (N, bins)
    flat = functional.pad(power * whitening[:, None], (POOLED_BINS, POOLED_BINS + POOL_STEP), mode="reflect")
    pools = flat.unfold(-1, 2 * POOLED_BINS + 1, POOL_STEP).transpose(1, 2).flatten(2)  # (N, pools, frames * pooled bins)
    level = _lowest_implied_mean(pools).log()
    centers = torch.arange(bins, device=power.device) / POOL_STEP
    left = centers.long().clamp(max=level.shape[-1] - 2)
    noise = torch.lerp(level[:, left], level[:, left + 1], (centers - left).to(level)).exp() / whitening
    return noise.clamp(min=SILENCE).unsqueeze(1)


def _lowest_implied_mean(samples: Tensor) -> Tensor:
    """Return the smallest mean (...) that the low quantiles of exponential samples (..., M) imply, zeros left out."""
    ordered = samples.sort(dim=-1).values
    zeros = (ordered <= 0).sum(dim=-1, keepdim=True)
    quantiles = torch.tensor(QUANTILES, device=samples.device)
    index = (zeros + quantiles * (samples.shape[-1] - zeros)).long().clamp(max=samples.shape[-1] - 1)
    implied = ordered.gather(-1, index) / -torch.log1p(-quantiles)
    return implied.amin(dim=-1).clamp(min=SILENCE)


def _tilt(power: Tensor) -> Tensor:
    """Return the exponent b (N,) of the noise's overall slope f^-b: the median slope between the floors of log-spaced bands."""
    floor = _lowest_implied_mean(power.transpose(1, 2)).log()  # (N, bins)
    edges = torch.logspace(0.301, torch.log10(torch.tensor(power.shape[-1] - 4.0)), TILT_BANDS).round().long().unique().tolist()
    bands = list(itertools.pairwise(edges))
    level = torch.stack([floor[:, low:high].quantile(0.3, dim=-1) for low, high in bands], dim=-1)  # (N, bands)
    position = torch.stack([torch.arange(low, high).log().mean() for low, high in bands]).to(level)
    first, second = torch.triu_indices(len(bands), len(bands), 1)
    slopes = (level[:, second] - level[:, first]) / (position[second] - position[first])
    return -slopes.median(dim=-1).values.clamp(-STEEPEST_TILT, 0.0)
