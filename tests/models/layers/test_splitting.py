"""A network cut at any layer is the network, and the layer is the one that was asked for."""

import pytest
import torch
from torch import nn

from models.layers.splitting import SplitNetwork
from models.mugan import MUGANGenerator
from models.unet import UNet


def randomized(net: SplitNetwork) -> SplitNetwork:
    """Give the zero-initialized last layer weights, so that everything before it matters."""
    for parameter in net.last.parameters():  # type: ignore[union-attr]
        nn.init.normal_(parameter)
    return net.eval()


@pytest.fixture(params=["unet", "mugan"])
def net(request: pytest.FixtureRequest) -> SplitNetwork:
    torch.manual_seed(0)
    if request.param == "unet":
        return randomized(UNet(depth=3, channels=(4, 6, 8), kernels=(5, 5, 3)))
    return randomized(MUGANGenerator(depth=3, filters=(8, 8, 8), kernels=(3, 9)))


@pytest.mark.parametrize("layer", range(5))
def test_rest_of_the_activation_is_the_network_bit_for_bit(net: SplitNetwork, layer: int) -> None:
    corrupted = torch.randn(2, 2, 101)
    hidden, rest = net.split(corrupted, layer)
    assert torch.equal(rest(hidden), net(corrupted))


@pytest.mark.parametrize("layer", range(4))
def test_layer_counts_the_up_blocks_that_were_run(net: SplitNetwork, layer: int) -> None:
    calls: list[int] = []
    for number, up in enumerate(net.up):
        up.register_forward_hook(lambda *_, number=number: calls.append(number))
    hidden, rest = net.split(torch.randn(1, 1, 64), layer)
    assert calls == list(range(layer))
    calls.clear()
    rest(hidden)
    assert calls == list(range(layer, 3))


def test_encoder_runs_once_however_often_the_rest_does(net: SplitNetwork) -> None:
    calls: list[int] = []
    net.down[0].register_forward_hook(lambda *_: calls.append(1))  # type: ignore[union-attr, index]
    hidden, rest = net.split(torch.randn(1, 1, 64), 1)
    for _ in range(3):
        rest(hidden)
    assert calls == [1]


def test_beyond_the_last_layer_lies_the_restored_signal(net: SplitNetwork) -> None:
    corrupted = torch.randn(2, 1, 50)
    hidden, rest = net.split(corrupted, 4)
    assert torch.equal(hidden, net(corrupted))
    assert rest(hidden) is hidden


@pytest.mark.parametrize("layer", [-1, 5])
def test_layer_that_does_not_exist_is_refused(net: SplitNetwork, layer: int) -> None:
    with pytest.raises(ValueError, match=f"layer={layer} must lie between 0, the bottleneck, and 4"):
        net.split(torch.randn(1, 1, 64), layer)
