"""MU-GAN's discriminator: verdicts on windows of any length, by any normalization, with and without the corrupted signal."""

import pytest
import torch
from torch import Tensor

from models.discriminator import Discriminator, WindowDiscriminator
from models.layers.normalization import NORMALIZATIONS


def small_discriminator(**settings: object) -> Discriminator:
    torch.manual_seed(0)
    return Discriminator(**{"depth": 2, "filters": (4, 8, 16), "kernels": (3, 9), "dropout": 0.0, "hidden": 8} | settings)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("conditional", "parameters"), [(False, 18_318_881), (True, 18_319_841)])
def test_parameter_count_of_the_default_plan(conditional: bool, parameters: int) -> None:
    with torch.device("meta"):
        net = Discriminator(conditional=conditional)
    assert sum(parameter.numel() for parameter in net.parameters()) == parameters


@pytest.mark.parametrize("window_samples", [8192, 16384])
def test_printed_form_has_a_fully_connected_layer_over_the_window(window_samples: int) -> None:
    with torch.device("meta"):
        net = WindowDiscriminator(window_samples=window_samples)
        logits, _ = net.eval()(torch.zeros(1, 1, window_samples), torch.zeros(1, 1, window_samples))
    assert sum(parameter.numel() for parameter in net.parameters()) == 18_318_881 + (window_samples // 128 - 1) * 512 * 128
    assert logits.shape == (1, 1, 1)


def test_printed_form_equals_a_matrix_on_the_flattened_window() -> None:
    torch.manual_seed(0)
    net = WindowDiscriminator(depth=2, filters=(4, 8, 16), kernels=(3, 9), hidden=8, window_samples=64).eval()
    signal = noise(3, 1, 64)
    logits, features = net(signal, signal)
    layer = net.hidden.window
    units = features[-1].flatten(1) @ layer.weight.flatten(1).T + layer.bias
    expected = net.verdict(torch.nn.functional.leaky_relu(units, 0.2)[..., None])
    torch.testing.assert_close(logits, expected)


@pytest.mark.parametrize(("samples", "places"), [(1, 1), (64, 1), (68, 2), (128, 17)])
def test_printed_form_judges_every_place_of_its_window(samples: int, places: int) -> None:
    net = WindowDiscriminator(depth=2, filters=(4, 8, 16), kernels=(3, 9), hidden=8, window_samples=64).eval()
    assert net(noise(2, 1, samples), noise(2, 1, samples))[0].shape == (2, 1, places)


def test_window_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match=r"window_samples must be a multiple of 4 = 2\^.*depth; got 62"):
        WindowDiscriminator(depth=2, filters=(4, 8, 16), kernels=(3, 9), hidden=8, window_samples=62)


@pytest.mark.parametrize(("samples", "patches"), [(1, 1), (4, 1), (5, 2), (64, 16), (1001, 251)])
def test_any_length_gets_a_logit_per_patch_of_each_channel(samples: int, patches: int) -> None:
    logits, _ = small_discriminator()(noise(2, 3, samples), noise(2, 3, samples, seed=1))
    assert logits.shape == (6, 1, patches)


def test_features_are_the_outputs_of_all_blocks() -> None:
    net = small_discriminator().eval()
    _, features = net(noise(2, 1, 64), noise(2, 1, 64, seed=1))
    assert [feature.shape for feature in features] == [(2, 4, 64), (2, 16, 32), (2, 32, 16)]
    for block, before, after in zip(net.blocks, features[:-1], features[1:], strict=True):
        assert torch.equal(block(before), after)


@pytest.mark.parametrize("conditional", [True, False])
def test_only_a_conditional_verdict_depends_on_the_corrupted_signal(conditional: bool) -> None:
    net = small_discriminator(conditional=conditional)
    signal = noise(2, 1, 64)
    one, another = (net(signal, noise(2, 1, 64, seed=seed))[0] for seed in (1, 2))
    assert torch.equal(one, another) != conditional


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("norm", NORMALIZATIONS)
def test_every_normalization_judges_a_single_short_example(norm: str, training: bool) -> None:
    net = small_discriminator(norm=norm).train(training)
    logits, features = net(noise(1, 1, 3), noise(1, 1, 3, seed=1))
    assert logits.isfinite().all() and all(feature.isfinite().all() for feature in features)


@pytest.mark.parametrize("norm", ["none", "layer", "group", "spectral"])
def test_verdict_on_an_example_does_not_depend_on_its_batch(norm: str) -> None:
    net = small_discriminator(norm=norm)
    net(noise(1, 1, 64), noise(1, 1, 64))
    net.eval() if norm == "spectral" else net.train()  # each pass in training refines the estimate of the spectral norm
    signal, corrupted = noise(3, 1, 64), noise(3, 1, 64, seed=1)
    torch.testing.assert_close(net(signal, corrupted)[0][:1], net(signal[:1], corrupted[:1])[0])


@pytest.mark.parametrize("settings", [{"norm": norm} for norm in NORMALIZATIONS] + [{"split": (3, 1), "reduction": 2}])
def test_every_parameter_is_trained(settings: dict) -> None:
    net = small_discriminator(**settings, bias=False)  # batch normalization takes the effect of a bias away
    net(noise(2, 1, 64), noise(2, 1, 64, seed=1))[0].square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_evaluation_leaves_running_statistics_alone() -> None:
    net = small_discriminator(norm="batch").eval()
    before = {name: buffer.clone() for name, buffer in net.named_buffers()}
    net(noise(2, 1, 64), noise(2, 1, 64, seed=1))
    assert before and all(torch.equal(buffer, before[name]) for name, buffer in net.named_buffers())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth": 3}, "depth=3 needs 4, one for the first block"),
        ({"depth": 0, "filters": None}, "depth must be at least 1; got 0"),
        ({"hidden": 0}, "hidden must be at least 1; got 0"),
        ({"filters": (4, 0, 16)}, r"filters must be .* at least 1; got \[4, 0, 16\]"),
        ({"kernels": (3, 8)}, "kernels must be odd"),
        ({"norm": "instance"}, "unknown norm 'instance'; known: none, batch"),
    ],
)
def test_wrong_plan_is_refused_by_its_key(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small_discriminator(**settings)
