"""Present the channels of recordings of any length as mono examples of a length that a network can halve, and back."""

from torch import Tensor
from torch.nn import functional


def to_mono_batch(signal: Tensor, multiple: int) -> Tensor:
    """Turn every channel into an example of its own, with zeros at its end up to a multiple of a number of samples.

    >>> import torch
    >>> to_mono_batch(torch.ones(2, 2, 5), 4).shape
    torch.Size([4, 1, 8])

    Args:
        signal: (B, C, T).
        multiple: in samples.

    Returns:
        (B * C, 1, T') with T' the next multiple.
    """
    mono = signal.reshape(-1, 1, signal.shape[-1])  # (B * C, 1, T)
    return functional.pad(mono, (0, -signal.shape[-1] % multiple))


def from_mono_batch(mono: Tensor, signal: Tensor) -> Tensor:
    """Undo `to_mono_batch`: crop to the length of a signal and give it its channels back.

    Args:
        mono: (B * C, 1, T') with T' at least T.
        signal: (B, C, T), the one that was folded.

    Returns:
        (B, C, T).
    """
    cropped = functional.pad(mono, (0, signal.shape[-1] - mono.shape[-1]))  # where a slice would fix a length in torch.export
    return cropped.reshape(signal.shape)
