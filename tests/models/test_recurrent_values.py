"""The recurrent networks give what a loop over frames, patches and steps gives, from the signal to the signal."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from models.cold_diffusion import ColdDiffusionRNN
from models.conv_rnn import ConvRNN, ConvRNNPublished
from tests.models.recurrent_reference import Spectrum, without_noise

SMALL: dict[str, Any] = {"state_channels": 5, "hidden_channels": 7, "fft_samples": 32, "hop_samples": 8}
GAINS = {"bias": False, "step_features": 3, "frequency_features": 2}
SETTINGS: list[dict[str, Any]] = [
    {},
    GAINS,
    {"gate": True},
    GAINS | {"gate": True, "representation": "magnitude"},
    {"state_channels": None},
    {"fft_samples": 48, "hop_samples": 12},
]


def drawn(net: nn.Module) -> nn.Module:
    """Give every weight a value, so large that states matter."""
    generator = torch.Generator().manual_seed(0)
    for parameter in net.parameters():
        parameter.data = 0.25 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def noise(samples: int) -> np.ndarray:
    return 0.3 * np.random.default_rng(1).standard_normal((2, 1, samples)).astype(np.float32)


def expected_of(net: ConvRNN, signal: np.ndarray, times: list[float], share: float) -> np.ndarray:
    weights = {name: value.double().numpy() for name, value in net.perceptron.state_dict().items()}
    spectrum = Spectrum(net.spectrum.fft_samples, net.spectrum.hop_samples, net.spectrum.channels == 1)
    settings = (spectrum, weights, net.readout.detach().double().numpy(), times, share, isinstance(net, ConvRNNPublished))
    return np.stack([without_noise(each[0].astype(float), *settings)[None] for each in signal])


def assert_restored(found: torch.Tensor, expected: np.ndarray, signal: np.ndarray) -> None:
    taken, expected = signal - found.detach().numpy(), signal - expected
    assert np.abs(expected).max() > 0.02, "too little is taken out to be compared in float32"
    np.testing.assert_allclose(taken, expected, rtol=0, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("samples", [90, 129])
def test_recurrent_denoiser_equals_a_loop_over_patches_and_steps(settings: dict[str, Any], samples: int) -> None:
    net, signal = drawn(ConvRNN(**{"steps": 2} | SMALL | settings)), noise(samples)
    expected = expected_of(net, signal, [0.25, 0.75], 1.0)
    assert_restored(net(torch.from_numpy(signal)), expected, signal)


@pytest.mark.parametrize("state_channels", [None, 5])
def test_literal_form_replaces_states_and_adds_patches_up_as_they_are(state_channels: int | None) -> None:
    net, signal = drawn(ConvRNNPublished(**{"steps": 2} | SMALL | {"state_channels": state_channels})), noise(90)
    expected = expected_of(net, signal, [0.25, 0.75], 1.0)
    assert_restored(net(torch.from_numpy(signal)), expected, signal)


def test_finer_steps_are_shorter_ones() -> None:
    net, signal = drawn(ConvRNN(steps=2, **SMALL | GAINS)), noise(90)
    expected = expected_of(net, signal, [1 / 6, 3 / 6, 5 / 6], 2 / 3)
    assert_restored(net.estimate_at(torch.from_numpy(signal), 3), expected, signal)


@pytest.mark.parametrize("settings", [{}, GAINS, {"gate": True}])
def test_restorer_of_cold_diffusion_takes_its_steps_at_the_progress_it_is_told(settings: dict[str, Any]) -> None:
    net, signal = drawn(ColdDiffusionRNN(steps=3, inner_steps=2, **SMALL | settings)), noise(90)
    expected = expected_of(net.rnn, signal, [0.4, 0.4], 1.0)
    assert_restored(net.restore_once(torch.from_numpy(signal), 0.4), expected, signal)
