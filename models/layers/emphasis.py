"""High frequencies raised and brought back, so that a network hears speech as evenly as its spectrum falls."""

import torch
from torch import Tensor
from torch.nn import functional

TAIL = 1e-6
"""Of the response that takes the emphasis back, relative to its first value; what is smaller is left out."""


def emphasized(signal: Tensor, share: float) -> Tensor:
    """Return x[n] - a x[n - 1].

    >>> emphasized(torch.tensor([[[1.0, 2.0, 4.0]]]), 0.5)
    tensor([[[1.0000, 1.5000, 3.0000]]])

    Args:
        signal: (B, C, T).
        share: a.

    Returns:
        (B, C, T).
    """
    return signal - share * functional.pad(signal, (1, 0))[..., :-1]


def deemphasized(signal: Tensor, share: float) -> Tensor:
    """Undo `emphasized`: y[n] = x[n] + a y[n - 1], by its response as far as it is above 1e-6 of its first value.

    Args:
        signal: (B, C, T).
        share: a.

    Returns:
        (B, C, T).
    """
    if share == 0:
        return signal
    taps = 1 + int(torch.tensor(TAIL).log() / torch.tensor(share).log())
    response = share ** torch.arange(taps - 1, -1, -1, device=signal.device, dtype=signal.dtype)
    mono = functional.pad(signal.reshape(-1, 1, signal.shape[-1]), (taps - 1, 0))
    return functional.conv1d(mono, response[None, None]).reshape(signal.shape)
