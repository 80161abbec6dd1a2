"""Temporal FiLM against sums in NumPy, its blocks, and what it changes of a U-Net."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.layers.temporal_film import TemporalFiLM, TemporalScaling, modulate
from models.tfilm import TFiLM, TFiLMPublished

SMALL: dict[str, Any] = {
    **{"depth": 2, "channels": (4, 6), "kernels": (5, 3), "dropout": 0.0, "bias": False},
    **{"block_samples": 16, "segment_samples": 128},
}


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def drawn(net: nn.Module) -> nn.Module:
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        parameter.data = 0.3 * torch.randn(parameter.shape, generator=generator)
    return net.eval()


def zero(layer: nn.Module) -> None:
    for parameter in layer.parameters(recurse=False):
        parameter.zero_()


def lstm(inputs: np.ndarray, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Return the outputs (L, C) of an LSTM by its equations (Hochreiter and Schmidhuber, with a forget gate)."""
    state, cell, outputs = np.zeros(inputs.shape[1]), np.zeros(inputs.shape[1]), []
    for row in inputs:
        sums = weights["weight_ih_l0"] @ row + weights["bias_ih_l0"] + weights["weight_hh_l0"] @ state + weights["bias_hh_l0"]
        enter, forget, new, leave = np.split(sums, 4)
        sigmoid = lambda value: 1 / (1 + np.exp(-value))  # noqa: E731
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(new)
        state = sigmoid(leave) * np.tanh(cell)
        outputs.append(state)
    return np.stack(outputs)


def test_scaling_is_the_lstm_of_the_largest_values_of_blocks() -> None:
    layer, features = drawn(TemporalScaling(3, 4)), draw(1, 3, 20)
    weights = {name.removeprefix("recurrent."): value.double().numpy() for name, value in layer.state_dict().items()}
    blocks = features[0].double().numpy().reshape(3, 5, 4)
    gamma = lstm(blocks.max(axis=-1).T, weights).T
    np.testing.assert_allclose(layer(features)[0].detach(), (gamma[..., None] * blocks).reshape(3, 20), atol=1e-6)


def test_gamma_of_one_and_beta_of_zero_are_the_identity() -> None:
    features = draw(2, 3, 24)
    assert torch.equal(modulate(features, torch.ones(2, 3, 6), torch.zeros(2, 3, 6)), features)
    layer = TemporalFiLM(3, 4)
    torch.testing.assert_close(layer(features), features, rtol=0, atol=0.02)
    assert torch.equal(layer.requires_grad_(False).apply(zero)(features), features)


def test_modulation_follows_the_level_and_the_past_alone() -> None:
    layer, features = drawn(TemporalFiLM(3, 4)), draw(1, 3, 24)
    modulated = layer(features)
    assert (modulated - features).abs().max() > 0.1
    torch.testing.assert_close(layer(features / 1024) * 1024, modulated)
    later = torch.cat([features[..., :12], features[..., 12:].flip(-1)], dim=-1)  # of the same level
    torch.testing.assert_close(layer(later)[..., :12], modulated[..., :12])
    assert not torch.allclose(layer(features.flip(-1)).flip(-1), modulated)


def test_every_level_of_the_published_network_has_32_blocks_in_8192_samples() -> None:
    blocks = []
    with torch.device("meta"):
        net = TFiLMPublished()
        for layer in net.modules():
            if isinstance(layer, nn.LSTM):
                layer.register_forward_pre_hook(lambda _, given: blocks.append(given[0].shape[1]))
        assert net(torch.zeros(1, 1, 8192)).shape == (1, 1, 8192)
    assert blocks == [32] * 9


def test_features_have_the_shapes_of_the_u_net() -> None:
    shapes = []
    with torch.device("meta"):
        net = TFiLMPublished()
        for block in (*net.down, net.bottleneck, *net.up):
            block.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape[1:])))
        net(torch.zeros(1, 1, 1024))
    down = [(128, 512), (256, 256), (512, 128), (512, 64)]
    assert shapes == [*down, (512, 32), (1024, 64), (1024, 128), (512, 256), (256, 512)]


def test_published_matrices_are_orthogonal_and_the_last_layer_small() -> None:
    torch.manual_seed(0)
    net = TFiLMPublished(**{**SMALL, "channels": (40, 48)})
    matrix = net.bottleneck.conv.weight.detach().flatten(1)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(48), rtol=0, atol=1e-5)
    assert net.last.weight.std().item() == pytest.approx(1e-3, rel=0.1)


def test_segments_are_restored_as_they_are_alone() -> None:
    net = drawn(TFiLM(**SMALL))
    signal = draw(1, 1, 512)
    whole, first = net(signal), net(signal[..., :128])
    torch.testing.assert_close(whole[..., : 64 + 16], first[..., : 64 + 16])  # up to where the next segment fades in
    assert not torch.allclose(whole[..., 64:128], first[..., 64:128])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"block_samples": 12}, "block_samples=12 must be a multiple of 8 at depth=2"),
        ({"block_samples": 0}, "block_samples=0 must be a whole number"),
        ({"segment_samples": 48}, "segment_samples=48 must be a multiple of 32, two of block_samples=16"),
        ({"segment_samples": 0}, "segment_samples=0 must be a whole number"),
    ],
)
def test_wrong_lengths_are_refused_by_their_keys(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TFiLM(**{**SMALL, **settings})
