"""The encoder and decoder: as large as published, as good as it can be, and the forms of it that learn."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.encoder_decoder import EncoderDecoder, EncoderDecoderPublished, EncoderDecoderUNet
from models.layers.setting_error import SettingError

FORMS = [EncoderDecoder, EncoderDecoderUNet, EncoderDecoderPublished]


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def sine(cycles: int, samples: int = 100) -> Tensor:
    return torch.sin(2 * math.pi * cycles * torch.arange(samples) / samples)[None, None]


def convolved(features: np.ndarray, layer: nn.Conv1d) -> np.ndarray:
    """Return a centered convolution of (C, T), zeros outside, tap by tap."""
    weight = layer.weight.detach().numpy()
    half = weight.shape[2] // 2
    padded = np.pad(features, ((0, 0), (half, half)))
    taps = [weight[:, :, tap] @ padded[:, tap : tap + features.shape[1]] for tap in range(weight.shape[2])]
    return np.sum(taps, axis=0) + (0 if layer.bias is None else layer.bias.detach().numpy()[:, None])


def paired(features: np.ndarray, pair: nn.Sequential) -> np.ndarray:
    for layer in pair:
        features = convolved(features, layer) if isinstance(layer, nn.Conv1d) else np.maximum(features, 0)
    return features


def reference(net: EncoderDecoder, signal: np.ndarray) -> np.ndarray:
    """Return what the paths of a network give for (1, T), T a multiple of its stride, before the last layer."""
    features, levels = signal, []
    for pair in net.down:
        features = paired(features, pair)
        levels.append(features)
        features = features.reshape(len(features), -1, 2).max(axis=2)
    features = paired(features, net.middle)
    for pair, level in zip(net.up, reversed(levels), strict=True):
        features = np.repeat(features, 2, axis=1)
        features = paired(np.concatenate([features, level]) if isinstance(net, EncoderDecoderUNet) else features, pair)
    return features


def test_published_network_has_the_published_parameter_count() -> None:
    assert parameters(EncoderDecoderPublished()) == 147_843
    assert parameters(EncoderDecoder(bias=True)) == 147_841  # without the layer that squashes the input


@pytest.mark.parametrize("kind", FORMS)
def test_values_are_those_of_the_plan(kind: type[EncoderDecoder]) -> None:
    torch.manual_seed(0)
    net = kind((3, 5)).eval()
    nn.init.normal_(net.last.weight)
    signal = torch.randn(1, 1, 16)
    if isinstance(net, EncoderDecoderPublished):
        squashed = 1 / (1 + np.exp(-convolved(signal[0].numpy(), net.first)))
        expected = 1 / (1 + np.exp(-convolved(reference(net, squashed), net.last)))
    else:
        added = signal[0].numpy() if isinstance(net, EncoderDecoderUNet) else 0.0
        expected = added + convolved(reference(net, signal[0].numpy()), net.last)
    np.testing.assert_allclose(net(signal).detach()[0], expected, atol=1e-5)


def test_frame_of_the_published_examples_comes_back_whole() -> None:
    for kind in FORMS:
        assert kind().eval()(sine(3)).shape == (1, 1, 100)  # four poolings of 100 samples and back would give 96


def test_published_output_cannot_be_better_than_the_half_above_zero() -> None:
    clean = sine(3)
    output = EncoderDecoderPublished()(clean).detach()
    assert float(output.min()) > 0 and float(output.max()) < 1
    error = (clean.clamp_min(0) - clean).square().mean()
    assert float(error) == pytest.approx(1 / 4, abs=1e-6)  # a^2 / 4
    assert (output - clean).square().mean() > error


def test_form_with_a_linear_output_learns_a_sine_by_heart() -> None:
    torch.manual_seed(0)
    clean, net = sine(3), EncoderDecoder((8, 16))
    noisy = clean + 0.3 * torch.randn(1, 1, 100, generator=torch.Generator().manual_seed(1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(300):
        optimizer.zero_grad()
        error = (net(noisy) - clean).square().mean()
        error.backward()
        optimizer.step()
    assert error < 0.02 * (noisy - clean).square().mean()


def test_network_without_filters_is_refused() -> None:
    with pytest.raises(SettingError, match="filters must be one or more numbers of at least 1"):
        EncoderDecoder([])
