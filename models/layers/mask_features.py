"""What a mask is estimated from: seven features of every row of a short-time spectrum, none of which knows the level.

A row is a bin, or above those that are told apart eight bins together.
"""

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
"""That have a floor in common, or where bins are not told apart a row."""
LEAST_POWER = 1e-10
"""Below it, of a bin of a signal at level 1, nothing is told apart: float32 rounds there, and rounding depends on the level."""


def mask_features(spectrum: Tensor, hop_samples: int, alone: int | None = None) -> Tensor:
    """Return features of the rows of short-time spectra that tell noise from tones.

    In order: half the natural log magnitude above the row's floor, and above the mean floor of all bins told apart at that time;
    cosine and sine of the phase advance to the next frame, less what the bin's center frequency advances in a hop; cosine and
    sine of the phase step to the next bin, sign-flipped, as steady tones turn by half a circle from bin to bin; and the place
    among the rows, -1 to 1 over the bins told apart and further on above. Where there is no next one, or silence, and in rows of
    several bins, phases give zeros.

    Args:
        spectrum: (N, F, L), complex, of signals at level 1, from 0 Hz to half the rate; the last bin has no row.
        hop_samples: from frame to frame.
        alone: bins, from 0 Hz on, that are rows by themselves; what is left is a multiple of eight. None: all.

    Returns:
        (N, 7, R, L), the features of a row side by side in memory.
    """
    last = spectrum.shape[1] - 1
    alone = last if alone is None else alone
    back = turned_back(alone + 1, 2 * last, hop_samples).to(spectrum.device)
    single, reference = _features_of_bins(spectrum[:, : alone + 1], back)
    power = stft.squared_magnitude(spectrum[:, alone:last])
    return torch.cat([single[:, :alone], _features_of_groups(in_groups(power), reference, alone)], dim=1).movedim(-1, 1)


def _features_of_bins(spectrum: Tensor, back: Tensor) -> tuple[Tensor, Tensor]:
    """Return the features (N, F, L, 7) of the first bins, and the mean of their floors (N, 1, L)."""
    bins = spectrum.shape[1]
    height = half_log(stft.squared_magnitude(spectrum))  # (N, F, L)
    floor = log_floor(grouped(height), FLOOR_FRAMES).repeat_interleave(GROUPED_BINS, dim=1)[:, :bins]
    reference = floor.mean(dim=1, keepdim=True)
    unit = spectrum / (spectrum.abs() + LEAST_POWER)
    advance = functional.pad(unit[..., 1:] * unit[..., :-1].conj(), (0, 1)) * back[:, None]
    step = functional.pad(-unit[:, 1:] * unit[:, :-1].conj(), (0, 0, 0, 1))
    place = torch.linspace(-1, 1, bins, device=spectrum.device)[:, None].expand_as(height)
    above = [0.5 * (height - level) for level in (floor, reference)]
    return torch.stack([*above, advance.real, advance.imag, step.real, step.imag, place], dim=-1), reference


def _features_of_groups(power: Tensor, reference: Tensor, alone: int) -> Tensor:
    """Return the features (N, G, L, 7) of groups of bins of mean powers (N, G, L), above as many bins that are told apart."""
    height = half_log(power)
    above = [0.5 * (height - level) for level in (log_floor(height, FLOOR_FRAMES), reference)]
    place = group_places(power.shape[1], alone).to(power.device)[:, None].expand_as(height)
    return torch.stack([*above, *(torch.zeros_like(height) for _ in range(4)), place], dim=-1)


def half_log(power: Tensor) -> Tensor:
    """Return the natural log magnitudes of powers, of the same shape."""
    return 0.5 * (power + LEAST_POWER).log()


def group_places(groups: int, alone: int) -> Tensor:
    """Return the places (G,) of groups among the rows, above bins told apart whose places go from -1 to nearly 1.

    >>> group_places(2, 4)
    tensor([1.0000, 1.5000])
    """
    return 1 + torch.arange(groups) * (2 / alone)


def in_groups(power: Tensor) -> Tensor:
    """Return powers (N, F, L) as means over eight bins, (N, F / 8, L)."""
    groups: Tensor = power.unflatten(1, (power.shape[1] // GROUPED_BINS, GROUPED_BINS))  # (N, F / 8, 8, L)
    return groups.mean(dim=2)


def of_bins(rows: Tensor, alone: int) -> Tensor:
    """Return for every bin what its row says, (N, C, F, L) of (N, C, R, L), as many rows of one bin before those of eight."""
    return torch.cat([rows[:, :, :alone], rows[:, :, alone:].repeat_interleave(GROUPED_BINS, dim=2)], dim=2)


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
