"""What stands before the first and after the last sample of a signal where a network looks there."""

import torch
from torch import Tensor
from torch.nn import functional


def continued(signal: Tensor, before: int, after: int) -> Tensor:
    """Continue a signal at both ends by its image in the end's own sample: a constant goes on, and so does a slope.

    x(-n) = 2 x(0) - x(n), and likewise behind the last; what would lie beyond the other end is that end's sample.

    Args:
        signal: (..., T), T at least 1.
        before: samples that are put before it.
        after: samples that are put behind it.

    Returns:
        (..., before + T + after).

    >>> continued(torch.tensor([1.0, 2.0, 4.0]), 1, 4)
    tensor([0., 1., 2., 4., 6., 7., 7., 7.])
    """
    last = signal.shape[-1] - 1
    head = torch.arange(before, 0, -1, device=signal.device).clamp_max(last)
    tail = (last - 1 - torch.arange(after, device=signal.device)).clamp_min(0)
    parts = [2 * signal[..., :1] - signal[..., head], signal, 2 * signal[..., -1:] - signal[..., tail]]
    return torch.cat(parts, dim=-1)


def silent(signal: Tensor, before: int, after: int) -> Tensor:
    """Put zeros around a signal (..., T), `before` and `after` of them."""
    return functional.pad(signal, (before, after))
