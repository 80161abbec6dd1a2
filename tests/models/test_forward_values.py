"""Every convolutional network gives what its paper says, value for value, in training (with dropout) and in evaluation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.autoencoder import Autoencoder
from models.discriminator import Discriminator
from models.mugan import MUGANGenerator
from models.unet import UNet
from models.unet_autoencoder import UNetAutoencoder
from models.unet_discriminator import UNetDiscriminator
from tests.models import references
from tests.models.references import Parts

DEPTH = 3
PLAN: dict[str, Any] = {"depth": DEPTH, "channels": (4, 6, 6), "kernels": (7, 5, 3)}
FILTERS: dict[str, Any] = {"depth": DEPTH, "filters": (8, 8, 12), "kernels": (3, 7)}
JUDGING: dict[str, Any] = {"depth": DEPTH, "filters": (4, 8, 8, 12), "kernels": (3, 7), "hidden": 6}
SPLIT: dict[str, Any] = {"split": (3, 1), "reduction": 2}
NORMS = [{"norm": norm} for norm in ("none", "batch", "layer", "group")]
Reference = Callable[[Parts, np.ndarray, int, Callable[[np.ndarray], np.ndarray]], np.ndarray]

RESTORERS: list[tuple[type[nn.Module], dict[str, Any], Reference, float]] = [
    *((UNet, PLAN | more, references.unet, 0.5) for more in ({}, {"bias": False})),
    *((UNetAutoencoder, PLAN | more, references.unet_autoencoder, 0.5) for more in ({}, *NORMS)),
    *((MUGANGenerator, FILTERS | more, references.mugan_generator, 0.5) for more in ({}, {"bias": False}, SPLIT)),
    *((Autoencoder, FILTERS | more, references.mugan_autoencoder, 0.2) for more in ({}, {"bias": False}, SPLIT, *NORMS)),
]
JUDGES: list[tuple[type[nn.Module], dict[str, Any], Reference]] = [
    *((UNetDiscriminator, PLAN | {"window_samples": 32} | more, references.unet_discriminator) for more in ({}, *NORMS)),
    *((Discriminator, JUDGING | more, references.mugan_discriminator) for more in ({}, {"bias": False}, SPLIT, *NORMS)),
]
PUBLISHED_NORM = {UNetAutoencoder: "batch", UNetDiscriminator: "batch", Discriminator: "batch"}


def ids(value: object) -> str | None:
    return value.__name__ if isinstance(value, type) else None


def dropout(seed: int = 0) -> Callable[[np.ndarray, float], np.ndarray]:
    """Return what keeps a value with probability 1 - p and divides it by that, by one fixed series of draws."""
    generator = np.random.default_rng(seed)
    return lambda values, p: values * (generator.random(values.shape) >= p) / (1 - p)


@pytest.fixture(params=[False, True], ids=["evaluation", "training"])
def training(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return the mode, with dropout by the draws that the reference takes."""
    draw = dropout()

    def from_series(values: Tensor, p: float, training: bool, inplace: bool) -> Tensor:
        return torch.from_numpy(draw(values.detach().numpy(), p)) if training else values

    monkeypatch.setattr("torch.nn.functional.dropout", from_series)
    return bool(request.param)


def randomized(kind: type[nn.Module], settings: dict[str, Any]) -> nn.Module:
    """Return a network in float64 whose weights and running statistics are drawn, but for the slopes of PReLU."""
    net, generator = kind(**settings).double(), torch.Generator().manual_seed(0)
    for module in net.modules():
        own = () if isinstance(module, nn.PReLU) else (*module.parameters(recurse=False), *module.buffers(recurse=False))
        for value in own:
            if value.is_floating_point():
                value.data = 0.3 * torch.randn(value.shape, generator=generator, dtype=torch.float64)
        if isinstance(module, nn.BatchNorm1d):
            module.running_var.data.abs_()  # type: ignore[union-attr]
    return net


def parts_of(net: nn.Module, settings: dict[str, Any], training: bool) -> Parts:
    norm = settings.get("norm", PUBLISHED_NORM.get(type(net), "none"))
    return Parts({name: value.numpy().copy() for name, value in net.state_dict().items()}, training, norm)


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def dropping(training: bool, p: float) -> Callable[[np.ndarray], np.ndarray]:
    draw = dropout()
    return (lambda values: draw(values, p)) if training else lambda values: values


@pytest.mark.parametrize(("kind", "settings", "reference", "p"), RESTORERS, ids=ids)
def test_restored_values_are_those_of_the_paper(
    kind: type[nn.Module], settings: dict[str, Any], reference: Reference, p: float, training: bool
) -> None:
    net, signal = randomized(kind, settings).train(training), noise(3, 2, 37)
    expected = reference(parts_of(net, settings, training), signal, DEPTH, dropping(training, p))
    found = net(torch.from_numpy(signal)).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("conditional", [True, False], ids=["conditional", "unconditional"])
@pytest.mark.parametrize(("kind", "settings", "reference"), JUDGES, ids=ids)
def test_logits_are_those_of_the_paper(
    kind: type[nn.Module], settings: dict[str, Any], reference: Reference, conditional: bool, training: bool
) -> None:
    net = randomized(kind, settings | {"conditional": conditional}).train(training)
    signal, corrupted = noise(3, 2, 38), noise(3, 2, 38, seed=2)
    seen = [references.folded(each, 2**DEPTH) for each in ((signal, corrupted) if conditional else (signal,))]
    read = np.concatenate(seen, axis=1)
    expected = reference(parts_of(net, settings, training), read, DEPTH, dropping(training, 0.5))
    logits = net(torch.from_numpy(signal), torch.from_numpy(corrupted))[0]
    np.testing.assert_allclose(logits.detach().numpy(), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", [MUGANGenerator, Autoencoder])
def test_slopes_start_at_a_fifth_one_for_a_layer(kind: type[nn.Module]) -> None:
    slopes = [module.weight.tolist() for module in kind(**FILTERS).modules() if isinstance(module, nn.PReLU)]
    assert slopes == [[pytest.approx(0.2)]] * 2 * DEPTH
