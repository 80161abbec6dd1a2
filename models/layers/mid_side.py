"""Two channels as their middle and their side, and back."""

import math

import torch
from torch import Tensor


def as_mid_side(stereo: Tensor) -> Tensor:
    """Turn left and right into mid and side, or these back: a reflection, so that energies stay and twice is once around.

    M = (L + R) / sqrt(2), S = (L - R) / sqrt(2).

    Args:
        stereo: (..., 2, T).

    Returns:
        (..., 2, T).

    >>> as_mid_side(torch.tensor([[1.0], [1.0]])).flatten()
    tensor([1.4142, 0.0000])
    """
    left, right = stereo.unbind(-2)
    return torch.stack([left + right, left - right], dim=-2) / math.sqrt(2)


def as_given(stereo: Tensor) -> Tensor:
    """Leave the channels as they are."""
    return stereo
