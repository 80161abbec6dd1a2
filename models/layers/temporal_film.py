"""Temporal feature-wise linear modulation: a recurrent network scales and shifts features, stretch of time by stretch.

Birnbaum, Kuleshov, Enam, Koh and Ermon, "Temporal FiLM: capturing long-range sequence dependencies with feature-wise
modulations" (arXiv 1909.06628), algorithm 1: features are pooled by blocks, an LSTM goes over the blocks, and what it says of one
changes all of its samples.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.starting import nearly_zeroed


def modulate(features: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Return gamma x + beta, with one gamma and beta for each block of time.

    >>> modulate(torch.ones(1, 1, 4), torch.tensor([[[2.0, 3.0]]]), torch.tensor([[[0.0, 1.0]]]))
    tensor([[[2., 2., 4., 4.]]])

    Args:
        features: (N, C, T), T a multiple of the number of blocks.
        gamma: (N, C, blocks).
        beta: (N, C, blocks).

    Returns:
        (N, C, T).
    """
    blocks = features.unflatten(-1, (gamma.shape[-1], -1))  # (N, C, blocks, T / blocks)
    modulated: Tensor = gamma[..., None] * blocks + beta[..., None]
    return modulated.flatten(-2)


class TemporalScaling(nn.Module):
    """Multiply every block by the output of the LSTM, as kuleshov/audio-super-res does: no shift, and little is left at first.

    Args:
        channels: C of the features and of the LSTM.
        block: activations of a block.
    """

    def __init__(self, channels: int, block: int) -> None:
        super().__init__()
        self.block = block
        self.recurrent = nn.LSTM(channels, channels, batch_first=True)

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, T), T a multiple of a block, to features of the same shape."""
        gamma = self.heard(functional.max_pool1d(features, self.block))
        return modulate(features, gamma, torch.zeros_like(gamma))

    def heard(self, pooled: Tensor) -> Tensor:
        """Map blocks (N, C, blocks) to outputs of the LSTM (N, C, blocks); it goes forward in time."""
        outputs: Tensor = self.recurrent(pooled.transpose(1, 2))[0]
        return outputs.transpose(1, 2)


class TemporalFiLM(TemporalScaling):
    """Scale and shift every block, as algorithm 1 has it; at first gamma is nearly 1 and beta nearly 0.

    The LSTM hears blocks relative to the root mean square of all of them, and its shift is in units of that: a quiet signal is
    modulated like a loud one.

    Args:
        channels: C of the features and of the LSTM.
        block: activations of a block.
    """

    def __init__(self, channels: int, block: int) -> None:
        super().__init__(channels, block)
        self.said = nearly_zeroed(nn.Conv1d(channels, 2 * channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        """Map features (N, C, T), T a multiple of a block, to features of the same shape."""
        pooled = functional.max_pool1d(features, self.block)
        power = pooled.float().square().mean(dim=(1, 2), keepdim=True)  # (N, 1, 1)
        level = power.clamp_min(torch.finfo(torch.float32).tiny).sqrt()
        change, shift = self.said(self.heard((pooled / level).to(pooled.dtype))).chunk(2, dim=1)
        return modulate(features, 1 + change, level * shift)
