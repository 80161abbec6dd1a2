"""What stands before the first and after the last sample of a signal where a network looks there."""

import torch
from torch import Tensor
from torch.nn import functional

ORDER = 4
"""Of the linear prediction: two sines, or one on a constant that drifts."""
KNOWN_SAMPLES = 64


def continued(signal: Tensor, before: int, after: int) -> Tensor:
    """Continue a signal at both ends by linear prediction from the 64 samples there: constants and sines go on.

    Burg, "Maximum entropy spectral analysis" (1967): his predictors are stable, so that nothing grows. What is shorter than 64
    samples is taken to have held its farthest sample before.

    Args:
        signal: (..., T), T at least 1.
        before: samples that are put before it.
        after: samples that are put behind it.

    Returns:
        (..., before + T + after).
    """
    near = torch.arange(KNOWN_SAMPLES, device=signal.device).clamp_max(signal.shape[-1] - 1)
    head = predicted(signal[..., near.flip(0)], before).flip(-1)
    return torch.cat([head, signal, predicted(signal[..., signal.shape[-1] - 1 - near.flip(0)], after)], dim=-1)


def predicted(known: Tensor, samples: int) -> Tensor:
    """Return so many samples (..., samples) as are likely to follow on the known ones (..., n), n above `ORDER`."""
    weights = -burg(known, ORDER)[..., 1:].flip(-1)
    following = list(known[..., -ORDER:].unbind(-1))
    for _ in range(samples):
        following.append((weights * torch.stack(following[-ORDER:], dim=-1)).sum(dim=-1))
    return torch.stack(following, dim=-1)[..., ORDER:]


def burg(series: Tensor, order: int) -> Tensor:
    """Return the filter (..., order + 1) of the error of linear prediction, the first tap 1, of series (..., n), n above `order`.

    Each reflection coefficient makes the errors of prediction forward and backward least together; silence has none.
    """
    ahead, behind = series[..., 1:], series[..., :-1]
    taps = torch.ones_like(series[..., :1])
    for _ in range(order):
        power = (ahead.square() + behind.square()).sum(dim=-1, keepdim=True)
        reflection = -2 * (ahead * behind).sum(dim=-1, keepdim=True) / torch.where(power > 0, power, 1.0)
        longer = functional.pad(taps, (0, 1))
        taps = longer + reflection * longer.flip(-1)
        ahead, behind = (ahead + reflection * behind)[..., 1:], (behind + reflection * ahead)[..., :-1]
    return taps


def silent(signal: Tensor, before: int, after: int) -> Tensor:
    """Put zeros around a signal (..., T), `before` and `after` of them."""
    return functional.pad(signal, (before, after))
