"""The convolutional recurrent network against the published perceptron on patches, and what restoration asks of any network."""

from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_module
from torch import Tensor, nn

from models.conv_rnn import ConvRNN, ConvRNNPublished
from models.layers.spectrogram_patches import cut

SMALL: dict[str, Any] = {
    "steps": 4,
    "state_channels": 6,
    "hidden_channels": 10,
    "bias": False,
    "step_features": 3,
    "frequency_features": 2,
    "fft_samples": 64,
    "hop_samples": 16,
}


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def small(**changes: Any) -> ConvRNN:
    torch.manual_seed(0)
    return ConvRNN(**{**SMALL, **changes})


def trained(net: ConvRNN) -> ConvRNN:
    """Give every parameter a value, as training does."""
    for parameter in net.parameters():
        nn.init.normal_(parameter, std=0.1)
    return net


def loop(net: ConvRNN, spectrum: Tensor, steps: int) -> Tensor:
    """Apply the perceptron as published: patch by patch, to the patch, its own state and the states of its 8 neighbors."""
    perceptron, patches = net.perceptron, cut(spectrum)[0]  # (C * 256, I, J)
    _, rows, columns = patches.shape
    state = torch.zeros(net.readout.shape[1], rows + 2, columns + 2)  # a border of zeros
    look, neighbors = perceptron.patch.weight.flatten(1), perceptron.neighbors.weight.flatten(1)
    for _ in range(steps):
        after = state.clone()
        for row in range(rows):
            for column in range(columns):
                around = state[:, row : row + 3, column : column + 3].flatten()
                inputs = torch.cat([patches[:, row, column], around])
                first = torch.relu(torch.cat([look, neighbors], dim=1) @ inputs + perceptron.patch.bias)
                second = torch.relu(perceptron.middle.weight[:, :, 0, 0] @ first + perceptron.middle.bias)
                after[:, row + 1, column + 1] += perceptron.last.weight[:, :, 0, 0] @ second + perceptron.last.bias
        state = after
    return state[:, 1:-1, 1:-1]


@pytest.mark.parametrize(("name", "kind"), [("conv_rnn_literal", ConvRNN), ("conv_rnn_published", ConvRNNPublished)])
def test_published_network_has_the_published_parameter_count(name: str, kind: type[ConvRNN]) -> None:
    with initialize_config_module("conf"):
        preset = compose("train", [f"model={name}"]).model.net
    net = kind(**{key: value for key, value in preset.items() if key != "_target_"})
    assert preset["_target_"] == f"models.conv_rnn.{kind.__name__}"
    assert net.steps == 100
    for literal in (net, kind()):
        assert sum(parameter.numel() for parameter in literal.parameters()) == 3_147_264


@pytest.mark.parametrize("neighborhood", ["cross", "diagonals"])
def test_four_neighbors_have_four_ninths_fewer_weights(neighborhood: str) -> None:
    net = ConvRNN(neighborhood=neighborhood)
    assert sum(parameter.numel() for parameter in net.parameters()) == 3_147_264 - 4 * 512 * 512


@pytest.mark.parametrize(
    ("neighborhood", "seen"),
    [
        (8, [[1, 1, 1], [1, 1, 1], [1, 1, 1]]),
        ("cross", [[0, 1, 0], [1, 1, 1], [0, 1, 0]]),
        ("diagonals", [[1, 0, 1], [0, 1, 0], [1, 0, 1]]),
    ],
)
def test_a_patch_sees_the_states_of_its_neighborhood(neighborhood: int | str, seen: list[list[int]]) -> None:
    net, state = trained(small(neighborhood=neighborhood)), noise(1, 6, 3, 3).requires_grad_()
    net.perceptron.neighbors(state)[0, :, 1, 1].sum().backward()
    assert state.grad is not None
    assert state.grad.abs().sum(dim=(0, 1)).bool().int().tolist() == seen


def test_unknown_neighborhood_is_refused() -> None:
    with pytest.raises(ValueError, match=r"neighborhood=hexagon; known: 8, cross, diagonals"):
        small(neighborhood="hexagon")


def test_states_of_the_published_network_are_patches_of_two_seconds() -> None:
    net = ConvRNN(steps=1, hidden_channels=8)
    assert next(net.states(net.prepare(noise(1, 1, 32000)), 1)).shape == (1, 512, 33, 33)


@pytest.mark.parametrize("state_channels", [None, 5])
def test_convolutions_equal_a_loop_over_patches(state_channels: int | None) -> None:
    torch.manual_seed(0)
    net = ConvRNN(steps=3, state_channels=state_channels, hidden_channels=12, fft_samples=64, hop_samples=16)
    nn.init.normal_(net.perceptron.last.weight, std=0.05)
    signal = noise(1, 1, 300)
    context = net.prepare(signal)
    *_, state = net.states(context, 3)
    assert state.abs().max() > 0.1
    expected = loop(net, net.spectrum.analyze(signal[0] / context.level), 3)
    torch.testing.assert_close(state[0], expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("samples", [1, 7, 64, 1001])
@pytest.mark.parametrize("representation", ["complex", "magnitude"])
def test_untrained_network_is_the_identity_at_any_length_and_step(samples: int, representation: str) -> None:
    net, corrupted = small(representation=representation), noise(2, 1, samples)
    assert torch.equal(net(corrupted), corrupted)
    assert torch.equal(net.estimates(corrupted, 6), corrupted.expand(6, 2, 1, samples))


def test_single_estimates_are_those_of_the_whole_way() -> None:
    net, corrupted = trained(small()), noise(2, 1, 500)
    way = net.estimates(corrupted)
    assert way.shape == (4, 2, 1, 500)
    assert torch.equal(net.estimate_at(corrupted, 0), corrupted)
    for step in (1, 3, 4):
        torch.testing.assert_close(net.estimate_at(corrupted, step), way[step - 1])
    torch.testing.assert_close(net(corrupted), way[-1])


def test_more_steps_than_usual_are_finer_ones() -> None:
    net, corrupted = trained(small()), noise(1, 1, 500)
    torch.testing.assert_close(net.estimate_at(corrupted, 9), net.estimates(corrupted, 9)[-1])


def test_finer_steps_converge() -> None:
    net, corrupted = trained(small()), noise(1, 1, 200)
    removed = {steps: net.estimates(corrupted, steps)[-1] - corrupted for steps in (16, 32, 64)}
    coarse, fine = (removed[16] - removed[32]).norm(), (removed[32] - removed[64]).norm()
    assert fine < 0.7 * coarse < 0.2 * removed[64].norm()


def test_true_noise_as_state_leaves_the_clean_signal() -> None:
    net, clean, disturbance = ConvRNN(), noise(1, 1, 5000), noise(2, 1, 5000)[1:]
    context = net.prepare(clean + disturbance)
    state = cut(net.spectrum.analyze(disturbance[0] / context.level))
    torch.testing.assert_close(net.estimate(context, state), clean, rtol=0, atol=1e-5)


def test_chunks_on_the_grid_of_patches_are_restored_alike() -> None:
    net, signal, patch = trained(small(steps=2)), noise(1, 1, 24 * 128), 8 * 16
    whole, later = net(signal), net(signal[..., 4 * patch :])
    assert (whole - signal).abs().mean() > 0.01
    reach = 6 * patch
    torch.testing.assert_close(later[..., reach:], whole[..., 4 * patch + reach :], rtol=0, atol=1e-5)


def test_channels_are_restored_independently() -> None:
    net, stereo = trained(small()), noise(3, 2, 400)
    torch.testing.assert_close(net(stereo)[:, :1], net(stereo[:, :1]))


@pytest.mark.parametrize("bias", [False, True])
def test_every_level_is_treated_alike(bias: bool) -> None:
    net, signal = trained(small(bias=bias)), noise(1, 1, 500)
    assert (net(signal) - signal).abs().max() > 1e-3
    torch.testing.assert_close(net(signal / 1024), net(signal) / 1024, rtol=1e-4, atol=1e-9)


def test_passage_behind_a_louder_one_is_treated_like_a_loud_one_from_the_reach_on() -> None:
    net, passage = trained(small(fft_samples=32, hop_samples=8)), noise(1, 1, 4096)
    behind_loud, behind_equal = (net(torch.cat([passage, gain * passage], dim=-1))[..., 4096:] / gain for gain in (0.01, 1.0))
    reach = net.reach_samples
    torch.testing.assert_close(behind_loud[..., reach:], behind_equal[..., reach:], rtol=1e-3, atol=1e-4)
    assert (behind_loud - behind_equal)[..., :reach].abs().max() > 0.1


def test_quiet_passage_is_treated_like_a_loud_one_without_biases() -> None:
    net, passage = trained(small(fft_samples=32, hop_samples=8)), noise(1, 1, 512)
    silence = torch.zeros(1, 1, 1024)
    loud, quiet = passage, passage / 100
    together = net(torch.cat([loud, silence, quiet], dim=-1))
    torch.testing.assert_close(100 * together[..., 1536 + 64 : -64], together[..., 64 : 512 - 64], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("changes", [{}, {"bias": True, "gate": True}])
def test_silence_stays_silent(changes: dict[str, Any]) -> None:
    silence = torch.zeros(2, 1, 300)
    assert torch.equal(trained(small(**changes))(silence), silence)


@pytest.mark.parametrize("changes", [{}, {"gate": True, "bias": True}, {"representation": "magnitude"}, {"state_channels": None}])
def test_every_parameter_is_trained(changes: dict[str, Any]) -> None:
    net = trained(small(**changes))
    net(noise(2, 1, 300)).square().sum().backward()
    idle = [name for name, parameter in net.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert idle == []


def test_closed_gate_changes_nothing() -> None:
    net, signal = trained(small(gate=True)), noise(1, 1, 300)
    nn.init.constant_(net.perceptron.gate.bias, -1e4)  # type: ignore[union-attr,arg-type]
    assert torch.equal(net(signal), signal)


def test_result_is_float32_under_autocast_and_near_that_without() -> None:
    net, signal = trained(small()), noise(1, 1, 500)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = net(signal)
    assert mixed.dtype == torch.float32
    assert (mixed - net(signal)).norm() < 0.02 * signal.norm()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "steps=0 must be a whole number, at least 1"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"state_channels": 0}, "state_channels=0"),
        ({"hidden_channels": -3}, "hidden_channels=-3"),
        ({"step_features": -1}, "step_features=-1 must be a whole number, at least 0"),
        ({"frequency_features": "many"}, "frequency_features=many"),
        ({"representation": "phase"}, "representation=phase; known: complex, magnitude"),
        ({"fft_samples": 100}, "fft_samples=100 must be a multiple of 16"),
        ({"hop_samples": 300}, "hop_samples=300 at most half of it"),
        ({"hop_samples": 2.5}, "hop_samples=2.5 must be a whole number"),
    ],
)
def test_wrong_setting_is_refused_by_its_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConvRNN(**settings)
