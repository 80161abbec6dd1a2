"""Autoencoders and recurrent networks on log spectra: their sizes, their layers, and what trains them one by one."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lightning_modules.spectral_regression import CleanSpectralRegression, SpectralRegression
from models.ddae import DDAE, DDAEPublished
from models.recurrent_spectrum import DRDAE, RNNDFT, DRDAEPublished

RATE_HZ = 8000
SMALL: dict[str, Any] = {"context": 3, "fft_samples": 64, "hop_samples": 16, "bands": 10}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def recipe(kind: type[SpectralRegression] = SpectralRegression, **settings: Any) -> SpectralRegression:
    torch.manual_seed(0)
    given: dict[str, Any] = {"loss_weights": {"log_spectrum": 1.0}, "optimizer": partial(torch.optim.Adam, lr=1e-2)}
    module = kind(net=DDAE(RATE_HZ, hidden=(8, 6), **SMALL), sample_rate=RATE_HZ, **{**given, **settings})
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    return module


def batch() -> dict[str, Tensor]:
    clean = torch.sin(torch.arange(640) / 5)[None, None]
    return {"clean": clean, "corrupted": clean + 0.3 * draw(1, 1, 640), "index": torch.arange(1)}


def moved(module: SpectralRegression, epoch: int) -> set[str]:
    """Return the parameters that a step in an epoch gives a gradient to."""
    type(module).current_epoch = epoch  # type: ignore[method-assign, assignment]
    try:
        module.zero_grad()
        module.training_step(batch(), 0).backward()
    finally:
        del type(module).current_epoch
    return {name for name, value in module.net.named_parameters() if value.grad is not None}


def test_published_autoencoder_has_440_numbers_in_and_out_and_tied_weights() -> None:
    net = DDAEPublished(16000)
    sizes = [440, 300, 300, 300]
    assert sum(parameter.numel() for parameter in net.parameters()) == sum(a * b + a + b for a, b in pairwise(sizes))


def test_autoencoder_goes_in_and_out_by_the_same_weights() -> None:
    net, features = DDAEPublished(RATE_HZ, hidden=(8, 6), **SMALL), draw(1, 10, 9)
    first, second = ({name: value.double().numpy() for name, value in layer.state_dict().items()} for layer in net.layers)
    sigmoid = lambda value: 1 / (1 + np.exp(-value))  # noqa: E731
    frames = features[0].double().numpy()
    patch = lambda at: np.concatenate([frames[:, min(max(at + step, 0), 8)] for step in (-1, 0, 1)])  # noqa: E731
    made = []
    for at in range(9):
        one = sigmoid(first["weight"] @ patch(at) + first["into"])
        two = sigmoid(second["weight"] @ one + second["into"])
        back = sigmoid(second["weight"].T @ two + second["out"])
        made.append(first["weight"].T @ back + first["out"])
    middle = (made[4][10:20] + made[3][20:] + made[5][:10]) / 3
    np.testing.assert_allclose(net.enhanced(features)[0, :, 4].detach(), middle, atol=1e-5)


def test_middle_layer_alone_hears_the_past_and_later_frames_change_nothing_before_their_context() -> None:
    for kind in (DRDAE, RNNDFT):
        net = kind(RATE_HZ, hidden=6, **SMALL)
        nn.init.normal_(net.last.weight, generator=torch.Generator().manual_seed(0))
        features = draw(1, 10, 12)
        changed = features.clone()
        changed[..., 6] += 1
        same = (net.enhanced(changed) == net.enhanced(features)).all(dim=1)[0]
        assert same[:5].all() and not same[5:].any()


def test_recurrence_of_tanh_is_that_of_a_sigmoid_in_other_numbers() -> None:
    net = DRDAEPublished(RATE_HZ, hidden=6, **SMALL)
    memory = net.memory
    assert isinstance(memory, nn.RNN)
    into, again = memory.weight_ih_l0.detach().double(), memory.weight_hh_l0.detach().double()
    bias = (memory.bias_ih_l0 + memory.bias_hh_l0).detach().double()
    rows, state = draw(1, 7, 6), torch.full((6,), 0.5).double()
    for row in rows[0].double():  # h = (1 + g) / 2, W' = 2 W, U' = 4 U, b' = 2 b - 2 U 1
        state = torch.sigmoid(2 * into @ row + 4 * again @ state + 2 * bias - 2 * again.sum(dim=1))
    torch.testing.assert_close(memory(rows)[0][0, -1], (2 * state - 1).float(), rtol=0, atol=1e-5)


def test_layers_are_trained_one_by_one_and_then_together() -> None:
    module = recipe(pretraining_epochs=2)
    of = [{f"layers.{layer}.{name}" for name in ("weight", "into", "out")} for layer in (0, 1)]
    assert [module.stages[number].begins for number in range(3)] == [0, 2, 4]
    assert [moved(module, epoch) for epoch in (0, 1, 2, 3)] == [of[0], of[0], of[1], of[1]]
    assert moved(module, 4) == {"share", *of[0], *of[1]}


def test_a_layer_by_itself_makes_noisy_activations_clean() -> None:
    module = recipe()
    noisy, clean = draw(1, 10, 9), draw(1, 10, 9, seed=1)
    error = module.net.layer_error(1, noisy, clean)
    given, wanted = (module.net.encoded(each, 1) for each in (noisy, clean))
    layer = module.net.layers[1]
    torch.testing.assert_close(error, (torch.sigmoid(layer.decode(layer.encode(given))) - wanted).square().mean())


def test_clean_to_clean_never_sees_the_noise() -> None:
    module, one = recipe(CleanSpectralRegression), batch()
    other = {**one, "corrupted": 5 * draw(1, 1, 640, seed=3)}
    assert module.training_step(one, 0).item() == module.training_step(other, 0).item()


def test_waveform_losses_join_the_error_of_the_spectrum() -> None:
    both = recipe(loss_weights={"log_spectrum": 2.0, "l1": 3.0})
    parts = [recipe(loss_weights={name: 1.0}).training_step(batch(), 0) for name in ("log_spectrum", "l1")]
    torch.testing.assert_close(both.training_step(batch(), 0), 2 * parts[0] + 3 * parts[1])


@pytest.mark.parametrize("settings", [{"net": DRDAE(RATE_HZ, hidden=4, **SMALL)}, {"loss_weights": {"l1": 1.0}}])
def test_layers_that_cannot_be_trained_one_by_one_are_refused(settings: dict[str, Any]) -> None:
    given = {"net": DDAE(RATE_HZ, hidden=(4,), **SMALL), "loss_weights": {"log_spectrum": 1.0}, **settings}
    with pytest.raises(ValueError, match="model.pretraining_epochs=1 needs a network with layers"):
        SpectralRegression(sample_rate=RATE_HZ, optimizer=partial(torch.optim.Adam), pretraining_epochs=1, **given)


@pytest.mark.parametrize(
    ("settings", "message"), [({"context": 2}, "context=2 must be odd"), ({"hidden": ()}, "hidden must be one")]
)
def test_wrong_settings_are_refused_by_their_keys(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DDAE(RATE_HZ, **{**SMALL, **settings})
