"""The U-Net's autoencoder against its published plan, and that it can be a loss."""

import pytest
import torch
from torch import Tensor

from models.layers.normalization import NORMALIZATIONS
from models.unet_autoencoder import UNetAutoencoder


def small_autoencoder(**settings: object) -> UNetAutoencoder:
    torch.manual_seed(0)
    return UNetAutoencoder(**{"depth": 2, "channels": (4, 8), "kernels": (9, 5), "dropout": 0.0} | settings)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_published_plan_has_the_published_parameter_count() -> None:
    with torch.device("meta"):
        net = UNetAutoencoder()
    assert sum(parameter.numel() for parameter in net.parameters()) == 104_782_594


def test_published_code_has_16_values_a_sample() -> None:
    with torch.device("meta"):
        assert UNetAutoencoder().encode(torch.zeros(1, 1, 1024)).shape == (1, 512, 32)


@pytest.mark.parametrize(("channels", "latent"), [((4, 8), 8), ((4, 2), 2)])
@pytest.mark.parametrize(("samples", "frames"), [(64, 8), (1, 1), (101, 13)])
def test_code_has_the_size_that_the_settings_say(channels: tuple, latent: int, samples: int, frames: int) -> None:
    net = small_autoencoder(channels=channels)
    signal = noise(2, 3, samples)
    assert net.encode(signal).shape == (6, latent, frames)
    assert net(signal).shape == signal.shape


def test_gradients_reach_the_input_through_the_code() -> None:
    signal = noise(2, 1, 64).requires_grad_()
    small_autoencoder().eval().encode(signal).square().sum().backward()
    assert signal.grad is not None and (signal.grad != 0).all()


@pytest.mark.parametrize("norm", NORMALIZATIONS)
def test_every_normalization_reconstructs_in_training_and_evaluation(norm: str) -> None:
    net = small_autoencoder(norm=norm)
    assert net(noise(1, 1, 5)).isfinite().all()
    assert net.eval()(noise(1, 1, 5)).isfinite().all()


def test_every_parameter_is_trained() -> None:
    net = small_autoencoder(norm="layer")
    net(noise(2, 1, 64)).square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_code_is_all_that_the_reconstruction_sees() -> None:
    net = small_autoencoder()
    net.bottleneck.register_forward_hook(lambda _, __, output: torch.zeros_like(output))
    assert torch.equal(net(noise(2, 1, 64)), net(torch.zeros(2, 1, 64)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 3}, "^channels has 2 .* depth=3 needs 3 of each"),
        ({"channels": (4, 0)}, "^channels must be .* at least 1"),
        ({"kernels": (9, 4)}, "^kernels must be odd"),
        ({"norm": "instance"}, "^unknown norm 'instance'; known: none, batch"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_autoencoder(**settings)
