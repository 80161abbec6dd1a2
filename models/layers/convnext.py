"""Blocks of ConvNeXt over time: neighbors first, channel by channel, then all channels of a frame, through a wider layer."""

from torch import Tensor, nn
from torch.nn import functional


class ConvNeXtBlock(nn.Module):
    """Add to every frame what its neighbors and its own channels say.

    x + W_2 gelu(W_1 norm(depthwise convolution of x)), after Liu et al. 2022, "A ConvNet for the 2020s" (arXiv 2201.03545, figure
    4), over one axis and without a scale of the sum.

    Args:
        channels: of a frame.
        kernel: frames that the convolution spans, odd.
        expansion: width of the inner layer, in channels.
    """

    def __init__(self, channels: int, kernel: int, expansion: int) -> None:
        super().__init__()
        self.near = nn.Conv1d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, expansion * channels)
        self.narrow = nn.Linear(expansion * channels, channels)

    def forward(self, frames: Tensor) -> Tensor:
        """Map (N, L, D), D channels of L frames, to the same shape."""
        near = self.near(frames.mT).mT
        added: Tensor = self.narrow(functional.gelu(self.widen(self.norm(near))))
        return frames + added
