"""The shared perceptron: it starts at nothing, its gains at one, and the gate closes."""

import math

import pytest
import torch
from torch import nn

from models.layers.patch_perceptron import Gains, PatchPerceptron, pitch


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def perceptron(step_features: int = 2, frequency_features: int = 2, gate: bool = False) -> PatchPerceptron:
    torch.manual_seed(0)
    return PatchPerceptron(2, 4, 6, True, step_features, frequency_features, gate)


def test_gains_are_one_at_first_and_without_features() -> None:
    place = torch.tensor([0.0, 0.3, 1.0])
    assert torch.equal(Gains(5, 3)(place), torch.ones(5, 3))
    assert torch.equal(Gains(5, 0)(place), torch.ones(5, 3))


def test_gains_are_cosines_of_the_place() -> None:
    gains = Gains(1, 3)
    nn.init.ones_(gains.weight)
    assert gains(torch.tensor([0.2])).item() == pytest.approx(2 + math.cos(0.2 * math.pi) + math.cos(0.4 * math.pi))


def test_pitch_rises_from_0_to_1_by_octaves() -> None:
    places = pitch(1025)
    assert places[0] == 0 and places[-1] == pytest.approx(1.0) and (places.diff() > 0).all()
    top, below = places[1024] - places[512], places[512] - places[256]
    assert top.item() == pytest.approx(below.item(), rel=0.05)


def test_untrained_perceptron_changes_nothing() -> None:
    net, spectrum = perceptron(), noise(1, 2, 16, 24)
    input_projection = net.prepare(spectrum)
    assert input_projection.shape == (1, 6, 3, 4)
    assert not net(input_projection, noise(1, 4, 3, 4), 0.5).any()


def test_step_and_frequency_matter_once_trained() -> None:
    net, spectrum, state = perceptron(), noise(1, 2, 16, 24), noise(1, 4, 3, 4)
    nn.init.normal_(net.last.weight)
    input_projection = net.prepare(spectrum)
    assert torch.equal(net(input_projection, state, 0.1), net(input_projection, state, 0.9))
    nn.init.normal_(net.by_step[0].weight)
    assert not torch.equal(net(input_projection, state, 0.1), net(input_projection, state, 0.9))
    nn.init.normal_(net.by_frequency.weight)
    assert not torch.equal(net.prepare(spectrum), input_projection)


def test_change_of_a_patch_depends_on_its_eight_neighbors_only() -> None:
    net, input_projection, state = perceptron(), noise(1, 6, 7, 7), noise(1, 4, 7, 7)
    nn.init.normal_(net.last.weight)
    touched = state.clone()
    touched[:, :, 3, 3] += 1
    moved = (net(input_projection, touched, 0.5) - net(input_projection, state, 0.5)).abs().amax(dim=(0, 1)) > 0
    assert moved[2:5, 2:5].all() and moved.sum() == 9


def test_closed_gate_lets_nothing_through() -> None:
    net = perceptron(gate=True)
    nn.init.normal_(net.last.weight)
    nn.init.constant_(net.gate.bias, -1e4)  # type: ignore[union-attr,arg-type]
    assert not net(noise(1, 6, 3, 4), noise(1, 4, 3, 4), 0.5).any()
