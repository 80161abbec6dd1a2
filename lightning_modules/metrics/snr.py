"""Ratios of signal to error in decibels, per example and always finite, and the error alone.

All ratios are of the signals without the mean of each channel, which is not heard: an offset would count as signal in the clean
audio and as error in the restored one. For signals without a mean they are the published formulas.
"""

import math

import torch
from torch import Tensor

from lightning_modules.metrics.frames import speech_frames

_ROUNDING = 1e-6  # Of the mean; a variation below it is what single precision leaves of a constant.
SEGMENT_LIMITS_DB = (-10.0, 35.0)  # of a frame: below, nobody hears the difference; above, nobody hears the error
LIMIT_DB = 100.0  # beyond 16-bit audio's range; keeps the mean meaningful when one example is restored exactly


def snr_db(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the signal-to-noise ratio 10 log10(sum y^2 / sum (y - x)^2) over channels and time, means removed.

    Limited to +-100 dB: an exact restoration has +100 dB, sound where there should be silence, or NaN, -100 dB.

    Args:
        restored: estimate x (B, C, T).
        clean: reference y (B, C, T).

    Returns:
        Decibels (B,).

    >>> y = torch.tensor([[[1.0, -1.0]]])
    >>> snr_db(y / 2, y)  # 10 log10(2 / 0.5)
    tensor([6.0206])
    """
    clean, restored = _without_mean(clean), _without_mean(restored)
    return _limited_ratio_db(_energy(clean), _energy(clean - restored))


def mse(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the mean squared error over channels and time, an offset counted in.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).

    Returns:
        Values (B,) in full scale squared; infinite for an estimate with NaN.

    >>> mse(torch.tensor([[[1.0, 0.0]]]), torch.tensor([[[0.5, 0.0]]]))
    tensor([0.1250])
    """
    error = (restored.float() - clean.float()).square().mean(dim=(1, 2))
    return error.nan_to_num(nan=math.inf, posinf=math.inf)


def si_sdr_db(restored: Tensor, clean: Tensor) -> Tensor:
    """Return the scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, arXiv 1811.02508, eq. 3 and 4).

    One gain per example, the same for all of its channels, is granted to the estimate. Means are removed first, as in the
    SI-SNR of Luo and Mesgarani (2018, arXiv 1711.00541). Limited to +-100 dB as `snr_db` is; a silent estimate of a sounding
    reference has -100 dB.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).

    Returns:
        Decibels (B,).
    """
    clean, restored = _without_mean(clean), _without_mean(restored)
    reference_energy = _energy(clean)
    gain = (restored * clean).sum(dim=(1, 2)) / torch.where(reference_energy > 0, reference_energy, 1.0)
    target = gain[:, None, None] * clean
    value = _limited_ratio_db(_energy(target), _energy(restored - target))
    lost = (reference_energy > 0) & (_energy(restored) == 0)
    return torch.where(lost, -LIMIT_DB, value)


def segsnr_db(restored: Tensor, clean: Tensor, sample_rate: int) -> Tensor:
    """Return the segmental signal-to-noise ratio: the mean over frames of their SNR in dB, each held within -10 to 35 dB.

    Hann windows of 30 ms that overlap by three quarters, as in the composite measures of Hu and Loizou (2008).

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: of both in Hz.

    Returns:
        Decibels (B,); 35 for an exact restoration, -10 for one with NaN.
    """
    clean, restored = _without_mean(clean), _without_mean(restored)
    powers = [speech_frames(signal, sample_rate).square().sum(dim=-1) for signal in (clean, clean - restored)]
    value = _limited_ratio_db(*powers).clamp(*SEGMENT_LIMITS_DB).mean(dim=(1, 2))
    return torch.where(restored.isfinite().all(dim=2).all(dim=1), value, SEGMENT_LIMITS_DB[0])


def snr_lf_db(restored: Tensor, clean: Tensor, sample_rate: int, cutoff_hz: float) -> Tensor:
    """Return `snr_db` of what lies below a frequency: what a method for the band above has to leave alone.

    Args:
        restored: estimate (B, C, T).
        clean: reference (B, C, T).
        sample_rate: of both in Hz.
        cutoff_hz: frequency from which on the spectra of the whole signals do not count.

    Returns:
        Decibels (B,), limited to +-100 dB.
    """
    clean, restored = _without_mean(clean), _without_mean(restored)
    energies = (_energy_below(signal, cutoff_hz / sample_rate) for signal in (clean, clean - restored))
    return _limited_ratio_db(*energies)


def _energy_below(signal: Tensor, cycles_per_sample: float) -> Tensor:
    """Return T / 2 times the energy of (B, C, T) below a frequency, over channels (B,); the signal has no mean."""
    bins = math.ceil(cycles_per_sample * signal.shape[-1])
    spectrum: Tensor = torch.fft.rfft(signal)[..., :bins]
    return spectrum.abs().square().sum(dim=(1, 2))


def _without_mean(signal: Tensor) -> Tensor:
    """Return (B, C, T) in single precision less the mean of each channel; a constant becomes exactly zero."""
    signal = signal.float()
    means = signal.mean(dim=2, keepdim=True)
    centered = signal - means
    is_constant = centered.abs().amax(dim=2, keepdim=True) <= _ROUNDING * means.abs()
    return torch.where(is_constant, 0.0, centered)


def _energy(signal: Tensor) -> Tensor:
    """Return the sum of squares over channels and time (B,)."""
    return signal.square().sum(dim=(1, 2))


def _limited_ratio_db(signal_energy: Tensor, error_energy: Tensor) -> Tensor:
    """Return 10 log10 of ratios (...) within +-LIMIT_DB; no error at all is the best, an undefined ratio the worst value."""
    ratio_db = 10.0 * torch.log10(signal_energy / error_energy)
    ratio_db = torch.where(error_energy == 0, LIMIT_DB, ratio_db)
    return torch.nan_to_num(ratio_db, nan=-LIMIT_DB).clamp(-LIMIT_DB, LIMIT_DB)
