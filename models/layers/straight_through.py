"""Rounding through which a gradient passes as if there were none (Bengio, Leonard and Courville, arXiv 1308.3432)."""

import torch
from torch import Tensor


def rounded_to(values: Tensor, step: float) -> Tensor:
    """Round values (...) to multiples of a step; the gradient is that of the values themselves.

    >>> rounded_to(torch.tensor([0.4, 0.6, 1.3]), 0.5)
    tensor([0.5000, 0.5000, 1.5000])
    """
    rounded = torch.round(values.detach() / step) * step
    return values + (rounded - values.detach())
