"""Complex numbers as pairs of their real and imaginary parts, which any runtime can multiply."""

from collections.abc import Sequence

from torch import Tensor


def times(first: Sequence[Tensor], second: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the parts of a b, of the shape that both broadcast to.

    >>> import torch
    >>> times(torch.tensor([1, 2]), torch.tensor([3, 4]))  # (1 + 2i) (3 + 4i)
    (tensor(-5), tensor(10))
    """
    return first[0] * second[0] - first[1] * second[1], first[0] * second[1] + first[1] * second[0]


def times_conjugate(first: Sequence[Tensor], second: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the parts of a b*."""
    return times(first, (second[0], -second[1]))


def square(parts: Sequence[Tensor]) -> Tensor:
    """Return |a|^2."""
    return parts[0].square() + parts[1].square()


def unit(parts: Sequence[Tensor], least: float) -> tuple[Tensor, Tensor]:
    """Return the parts of a / (|a| + least)."""
    magnitude = square(parts).sqrt() + least
    return parts[0] / magnitude, parts[1] / magnitude
