"""How layers start: at nothing, or near it, so that an untrained network changes nothing, and side by side in memory."""

from typing import TypeVar

import torch
from torch import nn

Layer = TypeVar("Layer", bound=nn.Module)
NEARLY_ZERO = 1e-3
"""Deviation of weights that let gradients through and hardly anything else."""


def zeroed(layer: Layer) -> Layer:
    """Set all weights of a layer to 0, and return it."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


def nearly_zeroed(layer: Layer) -> Layer:
    """Draw the weights of a layer from a narrow normal distribution, set its bias, if it has one, to 0, and return it."""
    nn.init.normal_(layer.get_parameter("weight"), std=NEARLY_ZERO)
    if layer.bias is not None:
        nn.init.zeros_(layer.get_parameter("bias"))
    return layer


def orthogonal(network: nn.Module) -> None:
    """Give the convolutions of a network orthogonal matrices and biases of 0, as kuleshov/audio-super-res does."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv1d):
            nn.init.orthogonal_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def side_by_side(network: nn.Module) -> None:
    """Lay the channels of two-dimensional kernels side by side in memory: convolutions of few channels take half the time so."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's annotations leave it out
