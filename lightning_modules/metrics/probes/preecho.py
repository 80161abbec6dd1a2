"""A probe of how far a method smears a sudden sound into the quiet before it."""

import math

import torch
from torch import Tensor

from lightning_modules.metrics.probes.subject import Subject

DRAWS = 4
NOISE_RMS = 0.01
BURST_DB = 20.0
"""Power of the burst above that of the noise."""
BURST_HZ = 1000.0
BURST_SECONDS = 0.25
WATCHED_SECONDS = 0.2
UNDISTURBED_SECONDS = (1.0, 2.5)
START_SECONDS, TOTAL_SECONDS = 4.0, 5.0
"""Of the burst, further behind the undisturbed part than networks look; and of the signal."""
LEAST_POWER = 1e-16
LARGEST_DB = 100.0


def preecho_db(subject: Subject) -> float:
    """Return by how many dB more is left of constant white noise in the 200 ms before a burst than where nothing is near.

    The burst is 0.25 s of 1 kHz, 20 dB above the noise. Whoever takes no noise away has 0 dB, and so has a denoiser that
    does not open before the burst. The powers are means over 4 draws of the noise from a fixed seed; the data have no influence.
    """
    draw = torch.Generator().manual_seed(0)
    rate_hz = subject.sample_rate
    powers = torch.zeros(2, dtype=torch.float64)
    for _ in range(DRAWS):
        restored = subject.restore(noise_and_burst(rate_hz, subject.channels, draw))
        before = restored[:, round((START_SECONDS - WATCHED_SECONDS) * rate_hz) : round(START_SECONDS * rate_hz)]
        undisturbed = restored[:, round(UNDISTURBED_SECONDS[0] * rate_hz) : round(UNDISTURBED_SECONDS[1] * rate_hz)]
        powers += torch.stack([part.cpu().double().square().mean() for part in (before, undisturbed)])
    if not powers.isfinite().all():
        return math.nan
    ratio = (powers[0] + LEAST_POWER) / (powers[1] + LEAST_POWER)
    return float((10 * ratio.log10()).clamp(-LARGEST_DB, LARGEST_DB))


def noise_and_burst(sample_rate: int, channels: int, generator: torch.Generator) -> Tensor:
    """Make 5 s of white noise with the burst from 4 s on.

    Args:
        sample_rate: in Hz, above 2 kHz.
        channels: each has its own noise.
        generator: only source of randomness.

    Returns:
        (channels, T).
    """
    signal = NOISE_RMS * torch.randn(channels, round(TOTAL_SECONDS * sample_rate), generator=generator)
    start, samples = round(START_SECONDS * sample_rate), round(BURST_SECONDS * sample_rate)
    amplitude = NOISE_RMS * 10 ** (BURST_DB / 20) * math.sqrt(2)
    tone = torch.sin(2 * torch.pi * BURST_HZ / sample_rate * torch.arange(samples, dtype=torch.float64)).float()
    signal[:, start : start + samples] += amplitude * tone
    return signal
