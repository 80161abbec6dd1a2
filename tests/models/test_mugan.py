"""MU-GAN's generator against its published plan, and what restoration asks of any network."""

import pytest
import torch
from torch import Tensor, nn

from models.mugan import MUGANGenerator


def small_generator(**settings: object) -> MUGANGenerator:
    torch.manual_seed(0)
    return MUGANGenerator(**{"depth": 2, "filters": (8, 16), "kernels": (3, 9), "dropout": 0.0} | settings)


def trained(net: MUGANGenerator) -> MUGANGenerator:
    nn.init.normal_(net.last.weight, std=0.1)
    return net


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("depth", "parameters"), [(4, 13_551_065), (8, 48_942_561)])
def test_default_plan_has_the_parameter_count_of_the_public_implementation(depth: int, parameters: int) -> None:
    with torch.device("meta"):
        net = MUGANGenerator(depth)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def test_feature_shapes_at_depth_4_and_1024_samples() -> None:
    shapes = []
    with torch.device("meta"):
        net = MUGANGenerator(4)
        for block in (*net.down, *net.up):
            block.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
        net(torch.zeros(1, 1, 1024))
    up = [(128 + 512, 128), (64 + 256, 256), (32 + 128, 512), (16, 1024)]
    assert shapes == [(128, 512), (256, 256), (512, 128), (512, 64), *up]


@pytest.mark.parametrize("samples", [1, 7, 64, 1001])
def test_untrained_network_is_the_identity_at_any_length(samples: int) -> None:
    corrupted = noise(2, 1, samples)
    assert torch.equal(small_generator()(corrupted), corrupted)


def test_channels_are_restored_independently() -> None:
    net = trained(small_generator())
    stereo = noise(3, 2, 100)
    torch.testing.assert_close(net(stereo)[:, :1], net(stereo[:, :1]))


@pytest.mark.parametrize("settings", [{}, {"split": (3, 1), "reduction": 2}, {"depth": 1, "filters": (8,)}])
def test_every_parameter_is_trained(settings: dict) -> None:
    net = trained(small_generator(**settings))
    net(noise(2, 1, 64)).square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_network_without_biases_treats_every_level_alike() -> None:
    net = trained(small_generator(bias=False))
    signal = noise(1, 1, 64)
    assert not torch.equal(net(signal), signal)
    torch.testing.assert_close(net(signal / 1024), net(signal) / 1024, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 3}, "depth=3 needs 3"),
        ({"filters": (8, 7)}, "filters must be even"),
        ({"filters": (4, 10), "split": (3, 1)}, "change split, or filters"),
        ({"kernels": (3, 8)}, "kernels must be odd"),
        ({"reduction": 3}, "reduction=3"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_generator(**settings)


def test_one_batch_is_overfitted_above_20_db() -> None:
    time = torch.arange(512) / 16000
    clean = torch.stack([torch.sin(2 * torch.pi * hz * time) for hz in (220, 440, 880, 1760)])[:, None] * 0.5
    corrupted = clean + 0.2 * noise(*clean.shape)
    net = small_generator(depth=3, filters=(16, 16, 32), kernels=(9, 27))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(100):
        optimizer.zero_grad()
        error = (net(corrupted) - clean).square().mean()
        error.backward()
        optimizer.step()
    assert 10 * torch.log10(clean.square().mean() / error) > 20
