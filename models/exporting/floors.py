"""The floors of `models.layers.mask_features` for lengths that are known late, those below the floor's window among them."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.mask_features import floor_of_both, rank_of


class SlidingFloor(nn.Module):
    """Stand in for `log_floor` of a number of frames.

    Every frame begins a window, infinity being behind the last frame: there it comes after all that is there, and the rank
    follows from how many frames there are. Of each window the few lowest values up to the highest rank are sorted.

    Args:
        frames: W, in a quantile; all there are, of fewer.
    """

    ranks: Tensor

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.frames, self.highest_rank = frames, rank_of(frames)
        self.register_buffer("ranks", torch.tensor([rank_of(count + 1) for count in range(frames)]))

    def forward(self, heights: Tensor) -> Tensor:
        """Map heights (N, R, L) to floors (N, R, L)."""
        length = heights.shape[-1]
        frames = torch.full((1,), length, dtype=torch.int64).clamp_max(self.frames)
        lowest = self._windows(heights).topk(self.highest_rank, dim=-1, largest=False).values
        quantiles = lowest.index_select(-1, self.ranks[frames - 1] - 1)[..., 0]  # (N, R, L), those of whole windows first
        place = torch.arange(length)
        ending = quantiles.index_select(-1, (place - frames + 1).clamp_min(0))
        return floor_of_both(heights, ending, quantiles.index_select(-1, torch.minimum(place, length - frames)))

    def _windows(self, heights: Tensor) -> Tensor:
        """Return all windows (N, R, L, W) of heights (N, R, L)."""
        followed = functional.pad(heights, (0, self.frames - 1), value=math.inf)
        place = torch.arange(heights.shape[-1])[:, None] + torch.arange(self.frames)  # (L, W)
        return followed.index_select(-1, place.flatten()).reshape(*heights.shape, self.frames)
