"""The blocks of MU-GAN by hand-checked values, and what they refuse."""

import pytest
import torch
from torch import nn

from models.layers.multiscale import MultiscaleConv, SubpixelBlock, SuperpixelBlock, checked_filters, default_filters, up_filters
from models.layers.subpixel import pixel_shuffle, superpixel


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_superpixel_moves_odd_samples_into_channels_of_their_own() -> None:
    features = torch.tensor([[[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0]]])
    expected = torch.tensor([[[0.0, 2.0], [1.0, 3.0], [10.0, 12.0], [11.0, 13.0]]])
    assert torch.equal(superpixel(features), expected)


def test_subpixel_and_superpixel_undo_each_other() -> None:
    features = noise(3, 4, 6)
    assert torch.equal(pixel_shuffle(superpixel(features)), features)
    assert torch.equal(superpixel(pixel_shuffle(features)), features)


def test_each_kernel_sums_its_own_span() -> None:
    conv = MultiscaleConv(1, 3, kernels=(1, 3, 5), bias=False)
    for parameter in conv.parameters():
        nn.init.ones_(parameter)
    impulse = torch.tensor([[[0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]]])
    expected = torch.tensor([[[0.0, 0, 0, 1, 0, 0, 0], [0.0, 0, 1, 1, 1, 0, 0], [0.0, 1, 1, 1, 1, 1, 0]]])
    assert torch.equal(conv(impulse), expected)


@pytest.mark.parametrize(("split", "channels"), [(None, [16, 16, 16, 16]), ((3, 3, 1, 1), [24, 24, 8, 8])])
def test_kernels_share_the_channels_as_asked_for(split: tuple | None, channels: list[int]) -> None:
    conv = MultiscaleConv(2, 64, split=split)
    assert [branch.out_channels for branch in conv.branches] == channels
    assert [branch.kernel_size for branch in conv.branches] == [(3,), (9,), (27,), (81,)]
    assert conv(noise(2, 2, 10)).shape == (2, 64, 10)


def test_weights_start_at_the_scale_that_keeps_the_variance() -> None:
    torch.manual_seed(0)
    conv = MultiscaleConv(16, 128, kernels=(3, 9))
    for branch in conv.branches:
        keeping = (2 / (1 + 0.2**2) / branch.weight[0].numel()) ** 0.5  # He et al., arXiv 1502.01852, eq. 15
        assert branch.weight.std().item() == pytest.approx(keeping, rel=0.05)


def test_reduction_narrows_what_all_kernels_read() -> None:
    conv = MultiscaleConv(32, 8, reduction=16)
    assert [branch.in_channels for branch in conv.branches] == [2] * 4
    assert sum(parameter.numel() for parameter in conv.parameters()) == (32 * 2 + 2) + 2 * 2 * (3 + 9 + 27 + 81) + 8
    assert conv(noise(1, 32, 5)).shape == (1, 8, 5)


def test_blocks_halve_and_double_the_time_axis() -> None:
    down, up = SuperpixelBlock(MultiscaleConv(3, 8)), SubpixelBlock(MultiscaleConv(16, 8), dropout=0.0)
    features = down(noise(2, 3, 10))
    assert features.shape == (2, 16, 5)
    assert up(features).shape == (2, 4, 10)
    skip = noise(2, 3, 10)
    assert torch.equal(up(features, skip)[:, 4:], skip)


def test_filter_plan_by_block() -> None:
    assert default_filters(8) == (64, 128, 256, 256, 256, 256, 256, 256)
    assert up_filters(default_filters(8)) == (256, 256, 256, 256, 256, 128, 64, 32)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"out_channels": 6}, "6 channels cannot be shared 1:1:1:1 by 4 kernels: change split, or filters"),
        ({"out_channels": 12, "split": (3, 3, 1, 1)}, "12 channels cannot be shared 3:3:1:1"),
        ({"split": (1, 1)}, "split needs a positive share for each of 4 kernels"),
        ({"split": (1, 1, 2, 0)}, "split needs a positive share"),
        ({"kernels": (3, 8)}, "kernels must be odd"),
        ({"kernels": ()}, "kernels must be odd"),
        ({"reduction": 3}, "reduction=3 must divide the channels between blocks; 4 are not divisible"),
        ({"reduction": 0}, "reduction=0"),
    ],
)
def test_wrong_convolution_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MultiscaleConv(**{"in_channels": 4, "out_channels": 8} | settings)


@pytest.mark.parametrize(
    ("filters", "depth", "message"),
    [
        ((8, 8), 3, "filters has 2 entries; depth=3 needs 3"),
        ((), 0, "needs 0, and at least one"),
        ((8, 7), 2, "filters must be even"),
        ((8, 0), 2, r"filters must be even and positive, .*; got \[8, 0\]"),
        ((-8, 8), 2, "filters must be even and positive"),
        ((6, 8), 2, "the first one a multiple of 4"),
    ],
)
def test_wrong_filters_are_refused_by_their_key(filters: tuple, depth: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_filters(filters, depth)
