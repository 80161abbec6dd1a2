"""How layers start."""

import torch
from torch import nn

from models.layers.starting import nearly_zeroed, side_by_side, zeroed


def test_zeroed_layer_gives_nothing() -> None:
    layer = nn.Linear(3, 2)
    assert zeroed(layer) is layer
    assert all(not parameter.any() for parameter in layer.parameters())


def test_nearly_zeroed_layer_gives_hardly_anything_and_lets_gradients_through() -> None:
    torch.manual_seed(0)
    layer = nearly_zeroed(nn.Conv2d(64, 64, 1))
    assert 0.9e-3 < layer.weight.std() < 1.1e-3
    assert not layer.get_parameter("bias").any()


def test_channels_of_kernels_lie_side_by_side_and_values_stay() -> None:
    layer = nn.Conv2d(4, 3, 2)
    before = layer.weight.detach().clone()
    side_by_side(layer)
    assert layer.weight.stride(1) == 1
    assert torch.equal(layer.weight, before)
