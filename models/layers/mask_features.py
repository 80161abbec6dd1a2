"""What a mask is estimated from: seven features of every bin of a short-time spectrum, none of which knows the level."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.layers import stft

FEATURES = 7
FLOOR_QUANTILE = 0.1
SMOOTHED_BINS = 9
LEAST_POWER = 1e-14
"""Below it, of a signal at level 1, nothing is told apart: -140 dB, which keeps logarithms of silence finite."""


def mask_features(spectrum: Tensor, hop_samples: int) -> Tensor:
    """Return features of short-time spectra that tell noise from tones.

    In order: half the natural log magnitude above the bin's floor, and above the mean floor of all bins; cosine and sine of
    the phase advance to the next frame, less what the bin's center frequency advances in a hop; cosine and sine of the phase
    step to the next bin, sign-flipped, as steady tones turn by half a circle from bin to bin; and the frequency from -1 to 1.
    Where there is no next one, or silence, phases give zeros.

    Args:
        spectrum: (N, F, L), complex, of signals at level 1.
        hop_samples: from frame to frame.

    Returns:
        (N, 7, F, L), the features of a bin side by side in memory.
    """
    bins = spectrum.shape[1]
    log_magnitude = 0.5 * (stft.squared_magnitude(spectrum) + LEAST_POWER).log()  # (N, F, L)
    floor = log_floor(log_magnitude)
    unit = spectrum / (spectrum.abs() + LEAST_POWER)
    back = turned_back(bins, 2 * (bins - 1), hop_samples).to(spectrum.device)[:, None]
    advance = functional.pad(unit[..., 1:] * unit[..., :-1].conj(), (0, 1)) * back
    step = functional.pad(-unit[:, 1:] * unit[:, :-1].conj(), (0, 0, 0, 1))
    frequency = torch.linspace(-1, 1, bins, device=spectrum.device)[:, None].expand_as(log_magnitude)
    features = torch.stack(
        [
            0.5 * (log_magnitude - floor),
            0.5 * (log_magnitude - floor.mean(dim=1, keepdim=True)),
            *(advance.real, advance.imag, step.real, step.imag),
            frequency,
        ],
        dim=-1,
    )
    return features.movedim(-1, 1)


def log_floor(log_magnitude: Tensor) -> Tensor:
    """Return every bin's floor: the quantile over time of the log magnitude smoothed over neighboring bins.

    Args:
        log_magnitude: (N, F, L).

    Returns:
        (N, F, 1).
    """
    rank = max(1, math.ceil(FLOOR_QUANTILE * log_magnitude.shape[-1]))
    return smoothed(log_magnitude.mT).mT.kthvalue(rank, dim=-1, keepdim=True).values


def smoothed(log_magnitude: Tensor) -> Tensor:
    """Return the means over neighboring bins of (N, L, F); at the edges, of those that there are."""
    return functional.avg_pool1d(log_magnitude, SMOOTHED_BINS, 1, SMOOTHED_BINS // 2, count_include_pad=False)


def turned_back(bins: int, fft_samples: int, hop_samples: int) -> Tensor:
    """Return the factors (F,) that take back by how much the center frequencies of the first bins turn in a hop."""
    turns = torch.arange(bins) * hop_samples % fft_samples / fft_samples
    return torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
