"""The bottleneck U-Net: strided convolutions down, sub-pixel convolutions up, and the input added to the output.

Kuleshov, Enam and Ermon, "Audio super-resolution using neural networks" (arXiv 1708.00853), section 3. The paper prints max
and min swapped in its filter plan; the published code, followed here, takes min(2^(6+b), 512) filters of
max(2^(7-b) + 1, 9) taps in block b and no batch normalization. Channels of a recording are processed one by one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.normalization import normalized
from models.reach import ReachCounter
from models.splitting import Skips, SplitNetwork

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


def pixel_shuffle(features: Tensor) -> Tensor:
    """Interleave pairs of channels in time: output channel c takes its even samples from 2c and its odd ones from 2c + 1.

    Args:
        features: (B, 2C, T).

    Returns:
        (B, C, 2T).
    """
    batch, channels, time = features.shape
    return features.view(batch, channels // 2, 2, time).transpose(2, 3).reshape(batch, channels // 2, 2 * time)


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


def check_positive(counts: Sequence[int], key: str) -> None:
    """Refuse a plan with a layer that has no channels.

    Args:
        counts: channels of each layer.
        key: where the configuration holds them, for the message.

    Raises:
        ValueError: if a count is below 1, or there is none.
    """
    if min(counts, default=0) < 1:
        raise ValueError(f"{key} must be one or more numbers of at least 1; got {list(counts)}")


def plan(
    depth: int, channels: Sequence[int] | None, kernels: Sequence[int] | None, key: str = "model.net"
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return filters and taps per block: the given ones, else the published ones.

    Args:
        depth: number of blocks.
        channels: filters of each block, outermost first, or None.
        kernels: taps of each block, odd, or None.
        key: where the configuration holds the network, for messages.

    Raises:
        ValueError: if the plans are not `depth` long, have no channels, or a kernel is even.
    """
    filters = tuple(channels) if channels is not None else paper_channels(depth)
    taps = tuple(kernels) if kernels is not None else paper_kernels(depth)
    if len(filters) != depth or len(taps) != depth:
        raise ValueError(
            f"{key}.channels has {len(filters)} and {key}.kernels {len(taps)} entries; {key}.depth={depth} needs {depth} of each"
        )
    check_positive(filters, f"{key}.channels")
    if any(kernel % 2 == 0 for kernel in taps):
        raise ValueError(f"{key}.kernels must be odd, so that blocks stay centered; got {list(taps)}")
    return filters, taps


class UNet(SplitNetwork):
    """Restore a waveform by adding a learned correction to it; at initialization the correction is zero.

    Args:
        depth: number of down blocks B; `channels` and `kernels` default to the published plan for it.
        channels: filters of each down block, outermost first.
        kernels: taps of each down block, odd.
        dropout: probability in the bottleneck and the up blocks (published: 0.5).
        bias: without biases the network is homogeneous, f(a x) = a f(x) for a > 0, and so treats every level alike (Mohan
            et al., "Robust and interpretable blind image denoising via bias-free CNNs", arXiv 1906.05478); published: with.

    Raises:
        ValueError: if the plans are not `depth` long, have no channels, or a kernel is even.
    """

    def __init__(
        self,
        depth: int = 4,
        channels: Sequence[int] | None = None,
        kernels: Sequence[int] | None = None,
        dropout: float = 0.5,
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels, kernels = plan(depth, channels, kernels)
        self.multiple = 2 ** (depth + 1)
        self.kernels = kernels
        self.down = down_blocks(1, channels, kernels, bias)
        self.bottleneck = nn.Conv1d(channels[-1], channels[-1], kernels[-1], stride=2, padding=kernels[-1] // 2, bias=bias)
        self.dropout = nn.Dropout(dropout)
        inputs = (channels[-1], *(2 * count for count in reversed(channels[1:])))
        self.up = nn.ModuleList(
            UpBlock(before, after, kernel, dropout, bias)
            for before, after, kernel in zip(inputs, reversed(channels), reversed(kernels), strict=True)
        )
        self.last = nn.Conv1d(2 * channels[0], 2, MIN_KERNEL, padding=MIN_KERNEL // 2, bias=bias)
        for parameter in self.last.parameters():
            nn.init.zeros_(parameter)

    @property
    def reach_samples(self) -> int:
        """Through the bottleneck and back."""
        return plan_reach_samples(self.kernels)

    def encode(self, padded: Tensor) -> tuple[Tensor, Skips]:
        """Return the bottleneck and the outputs of the down blocks, innermost first.

        Args:
            padded: (N, 1, T) with T a multiple of 2^(depth + 1).

        Returns:
            (N, C, T / 2^(depth + 1)), and per block (N, C', T').
        """
        features, outputs = padded, []
        for down in self.down:
            features = down(features)
            outputs.append(features)
        bottleneck = functional.leaky_relu(self.dropout(self.bottleneck(features)), LEAK)
        return bottleneck, [(output,) for output in reversed(outputs)]

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output (N, C, T / 2) to the correction (N, 1, T)."""
        return pixel_shuffle(self.last(features))
