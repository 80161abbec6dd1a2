"""White noise whose spectra are even: as hissing as any, with fewer of the holes and peaks that chance makes.

The log magnitudes of Gaussian noise deviate by 5.6 dB from bin to bin, those of a band that it stands in for by as much again.
Noise that is brought towards magnitude 1, by turns at several resolutions, deviates by 3.5 dB at all of them: under the true
envelope it is nearer to what was lost by the log-spectral distance, ViSQOL and Zimtohrli.
"""

from functools import cache

import torch
from torch import Tensor

from models.layers import stft

ROUNDS = 20
NOISE_SEED = 0
TINY = 1e-6


@cache
def even_noise(channels: int, period_samples: int, frames_samples: tuple[int, ...]) -> Tensor:
    """Return noise (C, T) of unit variance that may be repeated without a seam, one stream per channel, always the same.

    Every round begins elsewhere, or frames that lie between the others stayed uneven. The spectra of all resolutions are brought
    to magnitude 1, their phases kept, and the nearest signals (Griffin and Lim 1984, eq. 6) averaged.

    Args:
        channels: C.
        period_samples: T, at least the longest frame.
        frames_samples: of the resolutions, multiples of 4.
    """
    generator = torch.Generator().manual_seed(NOISE_SEED)
    noise = torch.randn(channels, period_samples, generator=generator)
    for _ in range(ROUNDS):
        noise = noise.roll(int(torch.randint(period_samples, (), generator=generator)), dims=-1)
        noise = torch.stack([_evened(noise, frame_samples) for frame_samples in frames_samples]).mean(dim=0)
        noise = noise / noise.square().mean(dim=-1, keepdim=True).sqrt()
    return noise


def _evened(noise: Tensor, frame_samples: int) -> Tensor:
    """Return what of (C, T), going on in a circle, comes nearest to even magnitudes in one resolution."""
    circle = torch.cat([noise[:, -frame_samples:], noise, noise[:, :frame_samples]], dim=-1)
    window = torch.hann_window(frame_samples)
    spectrum = stft.analyze(circle, window, frame_samples // 4, edges="silent")
    spectrum = spectrum / (spectrum.abs() + TINY)
    evened = stft.synthesize(spectrum * window.square().sum().sqrt(), window, frame_samples // 4, circle.shape[-1])
    return evened[:, frame_samples:-frame_samples]
