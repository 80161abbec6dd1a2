"""What a mask is estimated from: seven features of every bin of a short-time spectrum, none of which knows the level."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from models.layers import stft

FEATURES = 7
FLOOR_QUANTILE = 0.1
FLOOR_FRAMES = 32
"""That a floor is taken over: about two seconds of long frames."""
FLOOR_TOLERANCE = 0.5
"""In nepers, by which a frame may lie below its floor, all bins together: noise varies, and 4 dB are no other passage."""
SMOOTHED_BINS = 9
GROUPED_BINS = 8
"""That have a floor in common."""
LEAST_POWER = 1e-10
"""Below it, of a bin of a signal at level 1, nothing is told apart: float32 rounds there, and rounding depends on the level."""


def mask_features(spectrum: Tensor, hop_samples: int) -> Tensor:
    """Return features of short-time spectra that tell noise from tones.

    In order: half the natural log magnitude above the bin's floor, and above the mean floor of all bins at that time; cosine and
    sine of the phase advance to the next frame, less what the bin's center frequency advances in a hop; cosine and sine of the
    phase step to the next bin, sign-flipped, as steady tones turn by half a circle from bin to bin; and the frequency, -1 to 1.
    Where there is no next one, or silence, phases give zeros.

    Args:
        spectrum: (N, F, L), complex, of signals at level 1.
        hop_samples: from frame to frame.

    Returns:
        (N, 7, F, L), the features of a bin side by side in memory.
    """
    bins = spectrum.shape[1]
    log_magnitude = 0.5 * (stft.squared_magnitude(spectrum) + LEAST_POWER).log()  # (N, F, L)
    floor = log_floor(grouped(log_magnitude), FLOOR_FRAMES).repeat_interleave(GROUPED_BINS, dim=1)[:, :bins]
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


def log_floor(heights: Tensor, frames: int) -> Tensor:
    """Return the floor of every row at every frame: a low quantile over some seconds that end or begin there.

    Of both, the higher one counts, unless the frame lies below it, all rows together: before and after a step of the level
    each passage has its own floor, and where only the sound changes both are that of the noise. At the ends of a signal they
    are taken over its first and its last seconds.

    Args:
        heights: (N, R, L), logarithms of magnitudes.
        frames: in a quantile; all there are, of fewer.

    Returns:
        (N, R, L).
    """
    length = heights.shape[-1]
    frames = min(frames, length)
    quantiles = heights.unfold(-1, frames, 1).kthvalue(rank_of(frames), dim=-1).values  # (N, R, L - frames + 1)
    place = torch.arange(length, device=heights.device)
    ending = quantiles[..., (place - frames + 1).clamp_min(0)]
    beginning = quantiles[..., place.clamp_max(length - frames)]
    return floor_of_both(heights, ending, beginning)


def rank_of(frames: int) -> int:
    """Return which of the values of some frames is their floor, the lowest being the first.

    >>> rank_of(9), rank_of(32)
    (1, 4)
    """
    return max(1, math.ceil(FLOOR_QUANTILE * frames))


def floor_of_both(heights: Tensor, ending: Tensor, beginning: Tensor) -> Tensor:
    """Choose between the floors that end and those that begin at every frame; all are (N, R, L)."""
    height, past, future = (each.mean(dim=1, keepdim=True) for each in (heights, ending, beginning))
    higher = torch.maximum(past, future) <= height + FLOOR_TOLERANCE
    return torch.where((past >= future) == higher, ending, beginning)


def grouped(log_magnitude: Tensor) -> Tensor:
    """Return (N, F, L) as means over nine bins, (N, F', L), one for every group of bins."""
    return functional.avg_pool1d(log_magnitude.mT, SMOOTHED_BINS, GROUPED_BINS, SMOOTHED_BINS // 2, count_include_pad=False).mT


def smoothed(log_magnitude: Tensor) -> Tensor:
    """Return the means over neighboring bins of (N, L, F); at the edges, of those that there are."""
    return functional.avg_pool1d(log_magnitude, SMOOTHED_BINS, 1, SMOOTHED_BINS // 2, count_include_pad=False)


def turned_back(bins: int, fft_samples: int, hop_samples: int) -> Tensor:
    """Return the factors (F,) that take back by how much the center frequencies of the first bins turn in a hop."""
    turns = torch.arange(bins) * hop_samples % fft_samples / fft_samples
    return torch.polar(torch.ones_like(turns), -2 * math.pi * turns)
