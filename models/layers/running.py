"""Statistics that follow a stream and slowly forget: the same whether it comes at once or block by block.

Time is the last dimension but one. What is remembered of frames weighs less by a factor with every frame. Where frames come by
many, short stretches of them are worked on at once.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

STRETCH_FRAMES = 64
"""That a mean is taken over at once: a product with a triangular matrix of this size."""
ABOVE_ALL = 1e3
"""What no log magnitude comes near to."""
LEAST_WEIGHT = 1e-20
"""Below it everything is forgotten, before numbers so small slow processors down."""


class MeanState(NamedTuple):
    """What frames have left in a mean: their weighted sum, and the sum of their weights."""

    total: Tensor  # (..., 1, D)
    weight: Tensor  # (..., 1, 1)


class RunningMean(nn.Module):
    """Return weighted means of a frame and all before it, those weighing less by a power of the factor.

    m[t] = sum over j <= t of a^(t - j) w[j] x[j] / sum over j <= t of a^(t - j) w[j], or 0 where no frame has any weight.

    Args:
        factor: a, what is left of a weight after a frame, above 0 and below 1.
    """

    within: Tensor
    fading: Tensor

    def __init__(self, factor: float) -> None:
        super().__init__()
        frames = torch.arange(STRETCH_FRAMES, dtype=torch.float64)
        distances = frames[:, None] - frames
        within = (factor ** distances.clamp_min(0)).tril()
        self.register_buffer("within", within.float(), persistent=False)
        self.register_buffer("fading", (factor ** (frames + 1))[:, None].float(), persistent=False)

    def forward(self, values: Tensor, weights: Tensor, state: MeanState | None) -> tuple[Tensor, MeanState]:
        """Go on with a stream.

        Args:
            values: (..., L, D) in float32.
            weights: (..., L, 1), of dimensions that go with those.
            state: what the frames before have left; None before the first.

        Returns:
            (..., L, D) means, and the new state.
        """
        total, weight = state or (torch.zeros_like(values[..., :1, :]), torch.zeros_like(weights[..., :1, :]))
        means = []
        for some, weighing in zip(values.split(STRETCH_FRAMES, dim=-2), weights.split(STRETCH_FRAMES, dim=-2), strict=True):
            frames = some.shape[-2]
            within, fading = self.within[:frames, :frames] * weighing.mT, self.fading[:frames]
            sums = within.sum(dim=-1, keepdim=True) + fading * weight  # (..., L, 1)
            share = sums.clamp_min(LEAST_WEIGHT).reciprocal()
            means.append(torch.addcmul((share * within) @ some, share * fading, total))
            weight = sums[..., -1:, :]
            total = weight * means[-1][..., -1:, :]
        remembered = weight > LEAST_WEIGHT
        return torch.cat(means, dim=-2), MeanState(remembered * total, remembered * weight)


class RisingMinimum(nn.Module):
    """Return the least of a frame and all before it, those having risen with every frame: forgotten at a steady rate.

    m[t] = min(x[t], m[t - 1] + r), with m[-1] above everything.

    Args:
        rise: r, above 0.
    """

    def __init__(self, rise: float) -> None:
        super().__init__()
        self.rise = rise

    def forward(self, values: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
        """Go on with a stream.

        Args:
            values: (..., L, D), below `ABOVE_ALL`; this where a frame does not count.
            state: (..., 1, D) that the frames before have left; None before the first.

        Returns:
            (..., L, D) minima, and the new state.
        """
        state = torch.full_like(values[..., :1, :], ABOVE_ALL) if state is None else state
        lowest, reached, frames = torch.cat([state, values], dim=-2), 1, values.shape[-2]
        while reached <= frames:  # twice as many frames are compared every time
            before = self.rise * reached + lowest[..., :-reached, :]
            lowest = torch.cat([lowest[..., :reached, :], torch.minimum(lowest[..., reached:, :], before)], dim=-2)
            reached *= 2
        return lowest[..., 1:, :].clamp_max(ABOVE_ALL), lowest[..., -1:, :].clamp_max(ABOVE_ALL)
