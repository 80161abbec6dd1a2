"""The U-Net's discriminator against its published plan, and verdicts on windows of any length."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.layers.normalization import NORMALIZATIONS
from models.unet_discriminator import UNetDiscriminator


def small_discriminator(**settings: object) -> UNetDiscriminator:
    torch.manual_seed(0)
    small = {"depth": 2, "channels": (4, 8), "kernels": (9, 5), "window_samples": 32, "dropout": 0.0}
    return UNetDiscriminator(**small | settings)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("settings", "parameters"),
    [
        ({"depth": 4, "conditional": False}, 5_714_177),
        ({"depth": 4, "conditional": True}, 5_714_177 + 128 * 65),
        ({"depth": 8, "conditional": False}, 15_126_785),
    ],
)
def test_published_plan_has_the_published_parameter_count(settings: dict, parameters: int) -> None:
    with torch.device("meta"):
        net = UNetDiscriminator(**settings)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


def test_verdict_on_one_window_is_a_linear_layer_on_the_flattened_features() -> None:
    torch.manual_seed(0)
    net = UNetDiscriminator(conditional=False, channels=(8, 8, 8, 8), dropout=0.0)
    logits, features = net(noise(3, 1, 1024), noise(3, 1, 1024))
    expected = functional.linear(features[-1].flatten(1), net.verdict.weight.flatten(1), net.verdict.bias)
    assert logits.shape == (3, 1, 1)
    torch.testing.assert_close(logits[..., 0], expected)


@pytest.mark.parametrize(("samples", "windows"), [(1, 1), (31, 1), (32, 1), (33, 2), (36, 2), (64, 9)])
def test_signals_of_any_length_get_a_logit_per_window_of_each_channel(samples: int, windows: int) -> None:
    logits, _ = small_discriminator()(noise(2, 3, samples), noise(2, 3, samples, seed=1))
    assert logits.shape == (6, 1, windows)


def test_short_signal_is_judged_as_if_zeros_followed() -> None:
    net = small_discriminator().eval()
    signal, corrupted = noise(2, 1, 20), noise(2, 1, 20, seed=1)
    continued = net(functional.pad(signal, (0, 12)), functional.pad(corrupted, (0, 12)))
    assert torch.equal(net(signal, corrupted)[0], continued[0])


def test_features_are_the_outputs_of_all_blocks() -> None:
    net = small_discriminator().eval()
    _, features = net(noise(2, 1, 64), noise(2, 1, 64, seed=1))
    assert [feature.shape for feature in features] == [(2, 4, 32), (2, 8, 16)]
    assert torch.equal(net.blocks[1](features[0]), features[1])


@pytest.mark.parametrize("conditional", [True, False])
def test_only_a_conditional_verdict_depends_on_the_corrupted_signal(conditional: bool) -> None:
    net = small_discriminator(conditional=conditional)
    signal = noise(2, 1, 32)
    one, another = (net(signal, noise(2, 1, 32, seed=seed))[0] for seed in (1, 2))
    assert torch.equal(one, another) != conditional


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMALIZATIONS)
def test_every_normalization_judges_a_single_short_example(norm: str, training: bool) -> None:
    logits, _ = small_discriminator(norm=norm).train(training)(noise(1, 1, 3), noise(1, 1, 3, seed=1))
    assert logits.isfinite().all()


def test_every_parameter_is_trained() -> None:
    net = small_discriminator(norm="layer")
    net(noise(2, 1, 64), noise(2, 1, 64, seed=1))[0].square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window_samples": 30}, "window_samples must be a multiple of 4 = 2"),
        ({"channels": (4, 0)}, r"channels must be .* at least 1; got \[4, 0\]"),
        ({"depth": 0, "channels": None, "kernels": None}, r"channels must be one or more .*; got \[\]"),
        ({"depth": 3}, "depth=3 needs 3 of each"),
        ({"norm": "instance"}, "unknown norm 'instance'; known: none, batch"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_discriminator(**settings)
