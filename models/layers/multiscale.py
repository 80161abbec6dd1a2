"""Parallel convolutions of several sizes and sampling-rate changes without loss: the blocks of MU-GAN.

Kim and Sathe, "Bandwidth extension on raw audio via generative adversarial networks" (arXiv 1903.09027), section 2. A
superpixel halves the time axis by moving samples into channels, which costs half the filters of a strided convolution.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from models.layers.reach import ReachCounter
from models.layers.setting_error import SettingError
from models.layers.subpixel import pixel_shuffle, superpixel
from models.layers.unet_blocks import paper_channels

LAST_KERNEL = 27
SLOPE = 0.2  # of PReLU at the start, one per layer; the paper gives neither (value of leichtrhino/audio-super-resolution)


def default_filters(depth: int) -> tuple[int, ...]:
    """Return the filters of the down blocks: half the published U-Net's, as superpixels double them again.

    The paper leaves them open; these are the ones of leichtrhino/audio-super-resolution.

    >>> default_filters(4)
    (64, 128, 256, 256)
    """
    return tuple(channels // 2 for channels in paper_channels(depth))


def up_filters(filters: Sequence[int]) -> tuple[int, ...]:
    """Return the filters of the up blocks that mirror a down path, from the bottleneck outwards.

    >>> up_filters((64, 128, 256, 256))
    (256, 128, 64, 32)
    """
    return (*reversed(filters[:-1]), filters[0] // 2)


def checked_filters(filters: Sequence[int] | None, depth: int) -> tuple[int, ...]:
    """Return the filters of the down blocks, by default default_filters.

    Args:
        filters: of each down block, outermost first, or None.
        depth: number of down blocks.

    Raises:
        SettingError: if there are not `depth` filters, one is not positive, or the up path cannot halve them.
    """
    filters = default_filters(depth) if filters is None else tuple(filters)
    if depth < 1 or len(filters) != depth:
        raise SettingError(f"@filters has {len(filters)} entries; @depth={depth} needs {depth}, and at least one")
    if filters[0] % 4 or any(count < 1 or count % 2 for count in filters):
        raise SettingError(f"@filters must be even and positive, and the first one a multiple of 4; got {list(filters)}")
    return filters


def superpixel_reach_samples(depth: int, kernels: Sequence[int], last_kernel: int) -> int:
    """Return how far an output looks of a network of superpixel blocks, as many subpixel blocks and a last convolution.

    Args:
        depth: number of down blocks, and of up blocks.
        kernels: taps of the parallel convolutions of every block.
        last_kernel: taps of the last convolution.
    """
    reach = ReachCounter()
    for _ in range(depth):
        reach.convolve(max(kernels))
        reach.pack()
    for _ in range(depth):
        reach.convolve(max(kernels))
        reach.unpack()
    reach.convolve(last_kernel)
    return reach.samples


class MultiscaleConv(nn.Module):
    """Put the results of convolutions of several sizes beside each other, the smallest kernel's first.

    Args:
        in_channels: C of the input.
        out_channels: C' of the output, over all kernels.
        kernels: taps of each convolution, odd.
        split: relative shares of C' per kernel, as (3, 3, 1, 1); by default equal ones.
        reduction: above 1, a convolution of 1 tap, shared by all kernels, reduces C to C / reduction first. T. Stegmüller's
            report (aosbro/audio-super-resolution) has one for each kernel, which shared costs a quarter.
        bias: whether the convolutions have one.

    Raises:
        SettingError: if a kernel is even, or channels cannot be divided as asked for.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernels: Sequence[int] = (3, 9, 27, 81),
        split: Sequence[int] | None = None,
        reduction: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        shares = _shares(out_channels, kernels, split)
        self.reduce: nn.Module = nn.Identity()
        if reduction != 1:
            in_channels = _reduced(in_channels, reduction)
            self.reduce = nn.Conv1d(in_channels * reduction, in_channels, 1, bias=bias)
        self.branches = nn.ModuleList(
            nn.Conv1d(in_channels, share, kernel, padding=kernel // 2, bias=bias)
            for share, kernel in zip(shares, kernels, strict=True)
        )
        for branch in self.branches:
            nn.init.kaiming_normal_(branch.weight, a=SLOPE)  # type: ignore[arg-type]  # a ModuleList forgets its kind

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C', T)."""
        reduced = self.reduce(features)
        return torch.cat([branch(reduced) for branch in self.branches], dim=1)


class SuperpixelBlock(nn.Module):
    """Halve the time axis: convolution, PReLU, superpixel."""

    def __init__(self, convolution: nn.Module) -> None:
        super().__init__()
        self.convolution = convolution
        self.activation = nn.PReLU(init=SLOPE)

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, C, T) to (B, 2C', T / 2) if the convolution maps C to C'."""
        return superpixel(self.activation(self.convolution(features)))


def superpixel_path(filters: Sequence[int], convolution: Callable[..., nn.Module]) -> nn.ModuleList:
    """Return the down path of a plan, which maps (B, 1, T) to (B, 2 * filters[-1], T / 2^depth).

    Args:
        filters: of each block, outermost first.
        convolution: makes one from input and output channels, and takes `reduction`: the waveform itself is not reduced.
    """
    blocks = [SuperpixelBlock(convolution(1, filters[0], reduction=1))]
    blocks += [SuperpixelBlock(convolution(2 * before, after)) for before, after in pairwise(filters)]
    return nn.ModuleList(blocks)


class SubpixelBlock(nn.Module):
    """Double the time axis: convolution, dropout, PReLU, subpixel, and skips beside the result."""

    def __init__(self, convolution: nn.Module, dropout: float) -> None:
        super().__init__()
        self.convolution = convolution
        self.dropout = nn.Dropout(dropout)
        self.activation = nn.PReLU(init=SLOPE)

    def forward(self, features: Tensor, *skips: Tensor) -> Tensor:
        """Map (B, C, T) to (B, C' / 2, 2T) if the convolution maps C to C', and add the channels of the skips."""
        up = pixel_shuffle(self.activation(self.dropout(self.convolution(features))))
        return torch.cat([up, *skips], dim=1)


def _shares(channels: int, kernels: Sequence[int], split: Sequence[int] | None) -> list[int]:
    """Return how many of the channels each kernel puts out."""
    split = (1,) * len(kernels) if split is None else tuple(split)
    if not kernels or any(kernel % 2 == 0 for kernel in kernels):
        raise SettingError(f"@kernels must be odd, so that blocks stay centered; got {list(kernels)}")
    if len(split) != len(kernels) or min(split) < 1:
        raise SettingError(f"@split needs a positive share for each of {len(kernels)} kernels; got {list(split)}")
    if channels % sum(split):
        raise SettingError(
            f"{channels} channels cannot be shared {':'.join(map(str, split))} by {len(kernels)} kernels: "
            f"change @split, or @filters to multiples of {2 * sum(split)}"
        )
    return [channels * share // sum(split) for share in split]


def _reduced(channels: int, reduction: int) -> int:
    if reduction < 1 or channels % reduction:
        raise SettingError(f"@reduction={reduction} must divide the channels between blocks; {channels} are not divisible")
    return channels // reduction
