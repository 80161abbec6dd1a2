"""MU-GAN's autoencoder: the size of its code, and that it can be a loss."""

import pytest
import torch
from torch import Tensor

from models.autoencoder import Autoencoder
from models.layers.normalization import NORMALIZATIONS


def small_autoencoder(**settings: object) -> Autoencoder:
    torch.manual_seed(0)
    return Autoencoder(**{"depth": 2, "filters": (8, 16), "kernels": (3, 9), "dropout": 0.0} | settings)


def noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_parameter_count_of_the_default_plan() -> None:
    with torch.device("meta"):
        net = Autoencoder()
    assert sum(parameter.numel() for parameter in net.parameters()) == 10_970_585


@pytest.mark.parametrize(("settings", "channels"), [({}, 32), ({"latent_channels": 8}, 8), ({"latent_channels": 64}, 64)])
@pytest.mark.parametrize(("samples", "frames"), [(64, 16), (1, 1), (101, 26)])
def test_code_has_the_size_that_the_settings_say(settings: dict, channels: int, samples: int, frames: int) -> None:
    net = small_autoencoder(**settings)
    signal = noise(2, 3, samples)
    assert net.encode(signal).shape == (6, channels, frames)
    assert net(signal).shape == signal.shape


def test_default_code_has_32_values_a_sample() -> None:
    with torch.device("meta"):
        assert Autoencoder().encode(torch.zeros(1, 1, 1024)).shape == (1, 512, 64)


def test_gradients_reach_the_input_through_the_code() -> None:
    signal = noise(2, 1, 64).requires_grad_()
    small_autoencoder().encode(signal).square().sum().backward()
    assert signal.grad is not None and (signal.grad != 0).all()


@pytest.mark.parametrize("norm", NORMALIZATIONS)
def test_every_normalization_reconstructs_in_training_and_evaluation(norm: str) -> None:
    net = small_autoencoder(norm=norm)
    assert net(noise(1, 1, 5)).isfinite().all()
    assert net.eval()(noise(1, 1, 5)).isfinite().all()


@pytest.mark.parametrize("settings", [{}, {"split": (3, 1), "reduction": 2}, {"depth": 1, "filters": (8,)}])
def test_every_parameter_is_trained(settings: dict) -> None:
    net = small_autoencoder(**settings)
    net(noise(2, 1, 64)).square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_code_is_all_that_the_reconstruction_sees() -> None:
    net = small_autoencoder(latent_channels=4)
    net.down[-1].register_forward_hook(lambda _, __, output: torch.zeros_like(output))
    assert torch.equal(net(noise(2, 1, 64)), net(torch.zeros(2, 1, 64)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"latent_channels": 6}, "^latent_channels must be a multiple of 4; got 6"),
        ({"depth": 3}, "^filters has 2 entries; depth=3 needs 3"),
        ({"filters": (8, 0)}, "^filters must be even and positive"),
        ({"kernels": (3, 8)}, "^kernels must be odd"),
        ({"reduction": 3}, "^reduction=3 must divide"),
        ({"norm": "instance"}, "^unknown norm 'instance'; known: none, batch"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_autoencoder(**settings)
