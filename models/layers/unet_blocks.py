"""What the bottleneck U-Net and its relatives are made of: strided convolutions down, sub-pixel convolutions up, and their plan.

Kuleshov, Enam and Ermon, "Audio super-resolution using neural networks" (arXiv 1708.00853), section 3. The paper prints max
and min swapped in its filter plan; the published code, followed here, takes min(2^(6+b), 512) filters of
max(2^(7-b) + 1, 9) taps in block b.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.counts import check_positive
from models.layers.normalization import normalized
from models.layers.reach import ReachCounter
from models.layers.setting_error import SettingError
from models.layers.subpixel import pixel_shuffle

MAX_CHANNELS = 512
MIN_KERNEL = 9
LEAK = 0.2


def paper_channels(depth: int) -> tuple[int, ...]:
    """Return the filters per block of the published network.

    >>> paper_channels(4)
    (128, 256, 512, 512)
    """
    return tuple(min(2 ** (6 + block), MAX_CHANNELS) for block in range(1, depth + 1))


def paper_kernels(depth: int) -> tuple[int, ...]:
    """Return the taps per block of the published network.

    >>> paper_kernels(5)
    (65, 33, 17, 9, 9)
    """
    return tuple(max(2 ** (7 - block) + 1, MIN_KERNEL) if block < 7 else MIN_KERNEL for block in range(1, depth + 1))


class DownBlock(nn.Module):
    """Halve the time axis: strided convolution, normalization if any, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, bias: bool, norm: str = "none") -> None:
        super().__init__()
        conv = nn.Conv1d(in_channels, out_channels, kernel, stride=2, padding=kernel // 2, bias=bias)
        self.conv = normalized(conv, out_channels, norm)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C', T / 2)."""
        return functional.leaky_relu(self.conv(features), LEAK)


class UpBlock(nn.Module):
    """Double the time axis: convolution, dropout, ReLU, pixel shuffle, and skips beside the result."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int, dropout: float, bias: bool) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, 2 * out_channels, kernel, padding=kernel // 2, bias=bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, *skips: Tensor) -> Tensor:
        """Map (B, C, T) and n skips (B, C', 2T) to (B, (1 + n) C', 2T)."""
        up = pixel_shuffle(functional.relu(self.dropout(self.conv(features))))
        return torch.cat([up, *skips], dim=1)


def down_blocks(
    in_channels: int, channels: Sequence[int], kernels: Sequence[int], bias: bool, norm: str = "none"
) -> nn.ModuleList:
    """Return the down path of a plan: blocks that map (B, in_channels, T) to (B, channels[-1], T / 2^depth)."""
    return nn.ModuleList(
        DownBlock(before, after, kernel, bias, norm)
        for before, after, kernel in zip((in_channels, *channels[:-1]), channels, kernels, strict=True)
    )


def plan_reach_samples(kernels: Sequence[int]) -> int:
    """Return how far an output of the network of a plan looks.

    Args:
        kernels: taps of each down block, which the up blocks mirror.
    """
    reach = ReachCounter()
    for kernel in (*kernels, kernels[-1]):
        reach.convolve(kernel)
        reach.stride()
    for kernel in (*reversed(kernels), MIN_KERNEL):
        reach.convolve(kernel)
        reach.unpack()
    return reach.samples


def plan(depth: int, channels: Sequence[int] | None, kernels: Sequence[int] | None) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return filters and taps per block: the given ones, else the published ones.

    Args:
        depth: number of blocks.
        channels: filters of each block, outermost first, or None.
        kernels: taps of each block, odd, or None.

    Raises:
        SettingError: if the plans are not `depth` long, have no channels, or a kernel is even.
    """
    filters = tuple(channels) if channels is not None else paper_channels(depth)
    taps = tuple(kernels) if kernels is not None else paper_kernels(depth)
    if len(filters) != depth or len(taps) != depth:
        raise SettingError(f"@channels has {len(filters)} and @kernels {len(taps)} entries; @depth={depth} needs {depth} of each")
    check_positive(filters, "@channels")
    if any(kernel % 2 == 0 for kernel in taps):
        raise SettingError(f"@kernels must be odd, so that blocks stay centered; got {list(taps)}")
    return filters, taps
