"""How loud a lost upper band was, as far as the band below it tells: its envelope goes on as it falls below the edge."""

import torch
from torch import Tensor
from torch.nn import functional

SLOPE_BAND = (0.25, 0.8)  # relative to the edge: where the slope of the envelope is measured
LEVEL_BAND = (0.5, 0.8)  # and its level in each frame; filters begin to fall above
STEEPEST_SLOPE = 4.0  # exponent of the power: 12 dB per octave
SMOOTHED_FRAMES = 5
LEAST_SPREAD = 1e-9  # of the bins that a slope is fitted to; where all are one place, there is none


def extrapolated(power: Tensor, edge_bin: Tensor, least: float) -> Tensor:
    """Continue the envelopes of power spectra as a power law of the frequency.

    The exponent is fitted to the mean over time, as one frame holds too few partials; the level follows the frames.

    Args:
        power: (N, F, L), F bins of L frames.
        edge_bin: where each ends, (N,), need not be whole.
        least: power that counts as none.

    Returns:
        (N, F, L), below the edge, too.

    >>> falling = (1 / torch.arange(101.0).clamp(min=1).square())[None, :, None]
    >>> extrapolated(falling, torch.tensor([40.0]), least=1e-12)[0, 80] / falling[0, 80]
    tensor([1.0000])
    """
    bins = torch.arange(power.shape[1], dtype=power.dtype, device=power.device).clamp(min=1)
    relative = bins / edge_bin[:, None]  # (N, F)
    position = relative.log()[..., None]
    level = functional.avg_pool1d(power, SMOOTHED_FRAMES, stride=1, padding=SMOOTHED_FRAMES // 2, count_include_pad=False)
    level = level.clamp(min=least).log()
    sloped, leveled = (_inside(relative, *band)[..., None] for band in (SLOPE_BAND, LEVEL_BAND))  # (N, F, 1)
    weight = sloped / bins[:, None]
    x = position - (weight * position).sum(dim=1, keepdim=True) / weight.sum(dim=1, keepdim=True)
    spread = (weight * x * x).sum(dim=1).clamp(min=LEAST_SPREAD)
    slope = (weight * x * level.mean(dim=-1, keepdim=True)).sum(dim=1) / spread
    slope = slope.clamp(-STEEPEST_SLOPE, 0)[..., None]  # (N, 1, 1)
    height = (leveled * (level - slope * position)).sum(dim=1, keepdim=True) / leveled.sum(dim=1, keepdim=True)  # (N, 1, L)
    return (height + slope * position).exp()


def _inside(relative: Tensor, low: float, high: float) -> Tensor:
    """Return 1 from a low to a high frequency (N, F) and else 0; if that is less than two bins, at bins 1 and 2."""
    inside = ((relative >= low) & (relative <= high)).to(relative.dtype)
    first = torch.zeros_like(inside)
    first[:, 1:3] = 1
    return torch.where(inside.sum(dim=1, keepdim=True) > 1, inside, first)
