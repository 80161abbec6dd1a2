"""The level that a network whose biases know only one is given: of a whole signal, or around every sample of a long one."""

import torch
from torch import Tensor
from torch.nn import functional

LEVEL_BLOCK_SAMPLES = 65536
"""Of the blocks in which the level of a long signal is taken, four seconds at 16 kHz: as long as what networks are trained on."""


def level_of(signal: Tensor) -> Tensor:
    """Return the root mean square of signals.

    Args:
        signal: (N, T).

    Returns:
        (N, 1).
    """
    return signal.square().mean(dim=-1, keepdim=True).sqrt()


def sliding_level(signal: Tensor, block_samples: int) -> Tensor:
    """Return the root mean square around every sample: that of blocks at their centers, linear in between, constant outside.

    Args:
        signal: (N, T); shorter than a block, it has one level, `level_of`.
        block_samples: of a block; the last one may be shorter.

    Returns:
        (N, T).
    """
    samples = signal.shape[-1]
    padding = -samples % block_samples
    energies = functional.pad(signal.square(), (0, padding)).unflatten(-1, (-1, block_samples)).sum(dim=-1)  # (N, blocks)
    lengths = torch.full((energies.shape[-1],), float(block_samples), device=signal.device)
    lengths[-1] -= padding
    levels = (energies / lengths).sqrt()
    place = (torch.arange(samples, device=signal.device) / block_samples - 0.5).clamp(0, energies.shape[-1] - 1)
    left = place.long().clamp(max=max(0, energies.shape[-1] - 2))
    right = (left + 1).clamp(max=energies.shape[-1] - 1)
    return torch.lerp(levels[:, left], levels[:, right], (place - left).to(levels))
