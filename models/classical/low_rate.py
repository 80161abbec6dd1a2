"""Blind guess of the rate a signal was sampled at before it was interpolated to the present one.

Two traces are looked for: the images that an imperfect interpolation (hold, linear, cubic) leaves above the low Nyquist
frequency, and the cliff that a good one leaves there.
"""

import math

import torch
from torch import Tensor

from models.classical.bandwidth import NYQUIST_MARGIN, occupied_bandwidth_hz

COMMON_RATES_HZ = (2000, 3000, 4000, 5000, 6000, 8000, 10000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
FRAME_SAMPLES = 1024
FEWEST_FRAMES = 12  # of fewer, independent bins are coherent by chance
MOST_FRAMES = 256
IMAGE_COHERENCE = 0.7  # images of music have 0.8 to 1, music without images stays below 0.5 from one second on


def low_rates_hz(signal: Tensor, sample_rate: int) -> list[float]:
    """Guess the low rate of every example.

    Args:
        signal: Audio (B, C, T).
        sample_rate: Its rate in Hz.

    Returns:
        Common rates or integer fractions of `sample_rate`: the lowest whose images are there, else the lowest that holds the
        occupied band; `sample_rate` itself where the band is not limited.
    """
    candidates = _candidates_hz(sample_rate)
    bandwidths = occupied_bandwidth_hz(signal, sample_rate).tolist()
    rates = [next(rate for rate in candidates if rate >= min(2 * width * NYQUIST_MARGIN, sample_rate)) for width in bandwidths]
    for candidate in reversed(candidates[:-1]):  # the lowest comes last and wins: images repeat at its multiples
        imaged = (image_coherence(signal, sample_rate, candidate) > IMAGE_COHERENCE).tolist()
        rates = [candidate if found else rate for found, rate in zip(imaged, rates, strict=True)]
    return rates


def image_coherence(signal: Tensor, sample_rate: int, low_rate_hz: float) -> Tensor:
    """Measure how coherent the spectrum above the low Nyquist frequency is with its mirror image below.

    Before its last filter an interpolated signal has a spectrum of period low_rate_hz, so that after any filter
    X(low_rate_hz - f) = H conj(X(f)) with the same H in all frames. The coherence of the two over frames, averaged over f, is 1
    for images and about 1 / sqrt(frames) for independent sound.

    Args:
        signal: Audio (B, C, T).
        sample_rate: Its rate in Hz.
        low_rate_hz: The rate to test.

    Returns:
        Coherence (B,) from 0 to 1; 0 for fewer than FEWEST_FRAMES frames.
    """
    bin_hz = sample_rate / FRAME_SAMPLES
    lowest_hz = max(low_rate_hz / 8, low_rate_hz - sample_rate / 2)
    bins = torch.arange(math.ceil(lowest_hz / bin_hz) + 1, int(0.45 * low_rate_hz / bin_hz), device=signal.device)
    frames, starts = _frames(signal)
    if frames.shape[-2] < FEWEST_FRAMES or len(bins) == 0:
        return signal.new_zeros(signal.shape[0])
    time = starts[:, None] + torch.arange(FRAME_SAMPLES, dtype=torch.float64, device=signal.device)
    shift = torch.polar(torch.ones_like(time), -2 * torch.pi * (time * low_rate_hz / sample_rate)).to(torch.complex64)
    low = torch.fft.fft(frames)[..., bins]  # (B, C, frames, bins)
    mirrored = torch.fft.fft(frames * shift)[..., -bins]  # at low_rate_hz - f
    common = (low * mirrored).sum(dim=(1, 2)).abs()
    energies = low.abs().square().sum(dim=(1, 2)) * mirrored.abs().square().sum(dim=(1, 2))
    return (common / energies.sqrt().clamp(min=torch.finfo(torch.float32).tiny)).mean(dim=-1)


def _candidates_hz(sample_rate: int) -> list[float]:
    """Return the rates to consider in rising order, the sample rate last."""
    fractions = [sample_rate / ratio for ratio in range(1, 13)]
    return sorted({rate for rate in (*fractions, *map(float, COMMON_RATES_HZ)) if rate <= sample_rate})


def _frames(signal: Tensor) -> tuple[Tensor, Tensor]:
    """Return up to MOST_FRAMES windowed frames (B, C, frames, FRAME_SAMPLES), evenly spread, and their first samples."""
    hop = FRAME_SAMPLES // 2
    total = (signal.shape[-1] - FRAME_SAMPLES) // hop + 1
    if total < FEWEST_FRAMES:
        return signal.new_zeros(*signal.shape[:2], 0, FRAME_SAMPLES), torch.zeros(0, device=signal.device)
    chosen = torch.linspace(0, total - 1, min(total, MOST_FRAMES), device=signal.device).long()
    frames = signal.float().unfold(-1, FRAME_SAMPLES, hop)[..., chosen, :]
    return frames * torch.hann_window(FRAME_SAMPLES, device=signal.device), chosen * hop
