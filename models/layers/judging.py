"""What discriminators read."""

import torch
from torch import Tensor

from models.layers.mono_batch import to_mono_batch


def judged(signal: Tensor, corrupted: Tensor, multiple: int, conditional: bool) -> Tensor:
    """Return what a discriminator reads: the signal (B * C, 1, T'), or (B * C, 2, T') with the corrupted one beside it."""
    signals = (signal, corrupted) if conditional else (signal,)
    return torch.cat([to_mono_batch(each, multiple) for each in signals], dim=1)
