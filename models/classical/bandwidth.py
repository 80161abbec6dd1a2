"""Blind estimate of the band a signal occupies, from the cliff that a low-pass leaves in its long-term spectrum."""

import torch
from torch import Tensor
from torch.nn import functional

from models.classical.frames import frame_samples
from models.layers.stft import squared_magnitude

SEGMENT_SECONDS = 0.128
SHORTEST_SAMPLES = 256  # below, the spectrum is too coarse to tell a cliff from a slope
CLIFF_DB = 25.0  # music falls by less than this across the transition band unless a filter made it
TRANSITION = 0.15  # width of the transition band relative to its lower edge
PLATEAU_BINS = 24  # width of the bands compared on the two sides of the transition
NYQUIST_MARGIN = 0.95  # resampling ends here anyway


def occupied_bandwidth_hz(signal: Tensor, sample_rate: int) -> Tensor:
    """Find the frequency at which the spectrum falls off a cliff and stays low.

    At every frequency the mean level just below is compared with the one a transition band higher. The deepest fall counts if
    it exceeds CLIFF_DB and nothing above comes back; the band ends half-way down.

    Args:
        signal: audio (B, C, T).
        sample_rate: its rate in Hz.

    Returns:
        Bandwidths (B,) in Hz; half the sample rate where there is no cliff.
    """
    nyquist_hz = sample_rate / 2
    if signal.shape[-1] < SHORTEST_SAMPLES:
        return torch.full(signal.shape[:1], nyquist_hz)
    level_db = _long_term_level_db(signal, frame_samples(SEGMENT_SECONDS, sample_rate))
    bins = level_db.shape[-1]
    lower = torch.arange(PLATEAU_BINS, int(bins / (1 + TRANSITION)) - PLATEAU_BINS // 2)
    upper = (lower * (1 + TRANSITION)).ceil().long()
    below = _mean_between(level_db, lower - PLATEAU_BINS, lower)
    above = _mean_between(level_db, upper, (upper + PLATEAU_BINS).clamp(max=bins))
    highest_above = level_db.flip(-1).cummax(dim=-1).values.flip(-1)[:, upper]
    fall = torch.where(below - highest_above > CLIFF_DB / 2, below - above, 0.0)
    deepest, place = fall.max(dim=-1)
    half_way = below.gather(-1, place[:, None]) - deepest[:, None] / 2
    edge = ((level_db > half_way) * torch.arange(bins)).amax(dim=-1) * nyquist_hz / (bins - 1)
    return torch.where((deepest > CLIFF_DB) & (edge < NYQUIST_MARGIN * nyquist_hz), edge, nyquist_hz)


def _long_term_level_db(signal: Tensor, fft_samples: int) -> Tensor:
    """Return the smoothed power spectrum (B, bins), averaged over time and channels, in decibels, on the CPU.

    The shared transform has no frames that are shorter than their spectrum, which a signal below one segment has here.
    """
    segment = min(fft_samples, signal.shape[-1])
    frames = signal.detach().float().cpu().unfold(-1, segment, segment // 2)  # (B, C, frames, segment)
    spectrum = torch.fft.rfft(frames * torch.hann_window(segment), n=fft_samples)
    power = squared_magnitude(spectrum).mean(dim=(1, 2))
    smooth = functional.avg_pool1d(power.unsqueeze(1), 5, stride=1, padding=2, count_include_pad=False)[:, 0]
    floor = 1e-14 * smooth.amax(dim=-1, keepdim=True) + 1e-20  # the rounding of float32
    return 10 * torch.log10(smooth + floor)


def _mean_between(level_db: Tensor, start: Tensor, stop: Tensor) -> Tensor:
    """Return the means (B, K) of (B, bins) over the bins from start (K,) up to stop (K,), exclusive."""
    total = functional.pad(level_db.double().cumsum(-1), (1, 0))
    return ((total[:, stop] - total[:, start]) / (stop - start)).float()
