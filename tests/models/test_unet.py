"""The U-Net against the published plan, and what restoration asks of any network."""

import pytest
import torch
from torch import nn

from models.layers.subpixel import pixel_shuffle
from models.layers.unet_blocks import paper_channels, paper_kernels
from models.unet import UNet, UNetPublished


def small_unet() -> UNet:
    torch.manual_seed(0)
    return UNet(depth=2, channels=(4, 8), kernels=(9, 5), dropout=0.0)


def trained(net: UNet) -> UNet:
    nn.init.normal_(net.last.weight, std=0.1)
    return net


@pytest.mark.parametrize(("depth", "parameters"), [(4, 56_411_394), (8, 103_603_458)])
@pytest.mark.parametrize("kind", [UNet, UNetPublished])
def test_published_plan_has_the_published_parameter_count(kind: type[UNet], depth: int, parameters: int) -> None:
    with torch.device("meta"):
        net = kind(depth)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def test_published_weights_are_orthogonal_and_those_of_the_last_layer_small() -> None:
    torch.manual_seed(0)
    net = UNetPublished(depth=2, channels=(40, 48), kernels=(9, 5))
    convolutions = {name: layer for name, layer in net.named_modules() if isinstance(layer, nn.Conv1d) and name != "last"}
    for layer in convolutions.values():
        matrix = layer.weight.detach().flatten(1)
        product = matrix @ matrix.T if len(matrix) <= matrix.shape[1] else matrix.T @ matrix
        torch.testing.assert_close(product, torch.eye(len(product)), rtol=0, atol=1e-5)
    assert not any(layer.bias is not None and layer.bias.any() for layer in (*convolutions.values(), net.last))
    assert net.last.weight.std().item() == pytest.approx(1e-3, rel=0.1)
    signal = torch.randn(1, 1, 512, generator=torch.Generator().manual_seed(0))
    change = (net.eval()(signal) - signal).std() / signal.std()
    assert 0 < change < 0.05


def test_published_plan_by_block() -> None:
    assert paper_channels(8) == (128, 256, 512, 512, 512, 512, 512, 512)
    assert paper_kernels(8) == (65, 33, 17, 9, 9, 9, 9, 9)


def test_feature_shapes_of_the_published_network_at_1024_samples() -> None:
    shapes = []
    with torch.device("meta"):
        net = UNet(4)
        for block in (*net.down, net.bottleneck, *net.up):
            block.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
        net(torch.zeros(1, 1, 1024))
    down = [(128, 512), (256, 256), (512, 128), (512, 64)]
    assert shapes == [*down, (512, 32), (1024, 64), (1024, 128), (512, 256), (256, 512)]


@pytest.mark.parametrize("samples", [1, 7, 64, 1001])
def test_untrained_network_is_the_identity_at_any_length(samples: int) -> None:
    corrupted = torch.randn(2, 1, samples, generator=torch.Generator().manual_seed(0))
    assert torch.equal(small_unet()(corrupted), corrupted)


def test_channels_are_restored_independently() -> None:
    net = trained(small_unet())
    stereo = torch.randn(3, 2, 100, generator=torch.Generator().manual_seed(0))
    left = net(stereo[:, :1])
    torch.testing.assert_close(net(stereo)[:, :1], left)


def test_every_parameter_is_trained() -> None:
    net = trained(small_unet())
    net(torch.randn(2, 1, 64, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_network_without_biases_treats_every_level_alike() -> None:
    torch.manual_seed(0)
    net = trained(UNet(depth=2, channels=(4, 8), kernels=(9, 5), dropout=0.0, bias=False))
    signal = torch.randn(1, 1, 64, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(net(signal), signal)
    torch.testing.assert_close(net(signal / 1024), net(signal) / 1024, rtol=1e-5, atol=0)


def test_pixel_shuffle_interleaves_pairs_of_channels() -> None:
    features = torch.tensor([[[0.0, 2.0], [1.0, 3.0], [10.0, 12.0], [11.0, 13.0]]])
    expected = torch.tensor([[[0.0, 1.0, 2.0, 3.0], [10.0, 11.0, 12.0, 13.0]]])
    assert torch.equal(pixel_shuffle(features), expected)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 3, "channels": (4, 8)}, "needs 3 of each"),
        ({"depth": 1, "kernels": (4,)}, "odd"),
        ({"depth": 0}, r"channels must be one or more .*; got \[\]"),
        ({"depth": 1, "channels": (0,), "kernels": (3,)}, r"channels must be .* at least 1; got \[0\]"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        UNet(**settings)
