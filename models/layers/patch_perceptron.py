"""A perceptron of three layers shared by all patches of a spectrogram, as convolutions over the grid of patches."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.layers.spectrogram_patches import PATCH, STRIDE
from models.layers.starting import zeroed

NEIGHBORHOODS: Mapping[int | str, tuple[int, ...]] = {8: tuple(range(9)), "cross": (1, 3, 4, 5, 7), "diagonals": (0, 2, 4, 6, 8)}
"""Places in a 3 x 3 kernel, row by row, of a patch's own state and of those it sees beside it."""
LOWEST_OCTAVE = 1 / 50
"""Of the Nyquist frequency: below it gains change with the frequency, above it with its logarithm."""


class Gains(nn.Module):
    """Gains of hidden channels that depend on a place between 0 and 1 (a step, a frequency) and are all 1 at first.

    A perceptron shared by all patches and steps does not know where it is. A gain, unlike a further input, leaves a network
    without biases homogeneous. 1 + sum_k a_k cos(pi k s) for k below K; without features, 1.

    Args:
        channels: whose gains they are.
        features: K, how finely the gains change; 0 for none.
    """

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, features))

    def forward(self, place: Tensor) -> Tensor:
        """Return the gains (channels, P) at places (P,)."""
        order = torch.arange(self.weight.shape[1], device=place.device)
        return 1 + self.weight @ torch.cos(math.pi * order[:, None] * place)


class PatchPerceptron(nn.Module):
    """The shared perceptron F as convolutions; its last layer is zero at first, so that nothing is changed.

    Args:
        patch_channels: C of the spectrogram.
        state_channels: D of a state.
        hidden_channels: H of both hidden layers.
        bias: of all layers.
        step_features: of the gains of both hidden layers by step.
        frequency_features: of the gains of what comes from the input by frequency.
        gate: multiply the result by a sigmoid of the second hidden layer, whose level does not matter.
        neighborhood: a name of NEIGHBORHOODS.
    """

    def __init__(
        self,
        patch_channels: int,
        state_channels: int,
        hidden_channels: int,
        bias: bool,
        step_features: int,
        frequency_features: int,
        gate: bool,
        neighborhood: int | str = 8,
    ) -> None:
        super().__init__()
        self.patch = nn.Conv2d(patch_channels, hidden_channels, PATCH, stride=STRIDE, padding=STRIDE, bias=bias)
        self.neighbors = _neighbors(state_channels, hidden_channels, NEIGHBORHOODS[neighborhood])
        self.middle = nn.Conv2d(hidden_channels, hidden_channels, 1, bias=bias)
        self.last = zeroed(nn.Conv2d(hidden_channels, state_channels, 1, bias=bias))
        self.by_frequency = Gains(hidden_channels, frequency_features)
        self.by_step = nn.ModuleList(Gains(hidden_channels, step_features) for _ in range(2))
        self.gate = nn.Conv2d(hidden_channels, state_channels, 1) if gate else None

    def prepare(self, spectrum: Tensor) -> Tensor:
        """Return the input's part of the first layer, which is the same in all steps.

        Args:
            spectrum: (N, C, F, L).

        Returns:
            (N, H, F / 8 + 1, L / 8 + 1).
        """
        projection: Tensor = self.patch(spectrum)
        gains: Tensor = self.by_frequency(pitch(projection.shape[2]).to(projection.device))
        return projection * gains[..., None].to(projection.dtype)

    def forward(self, input_projection: Tensor, state: Tensor, time: float) -> Tensor:
        """Return the change of the states.

        Args:
            input_projection: (N, H, I, J) from `prepare`.
            state: (N, D, I, J).
            time: (t - 1/2) / T.

        Returns:
            (N, D, I, J).
        """
        # filled on the device: a copy would make the host wait at every step
        place = torch.full((1,), time, device=input_projection.device)
        first = functional.relu(input_projection + self.neighbors(state))
        second = functional.relu(_scaled(self.middle, first, self.by_step[0](place)))
        change = _scaled(self.last, second, self.by_step[1](place))
        if self.gate is None:
            return change
        level = second.square().mean(dim=1, keepdim=True).sqrt() + torch.finfo(torch.float32).tiny
        return change * torch.sigmoid(self.gate(second / level))


class SomeNeighbors(nn.Module):
    """A 3 x 3 convolution of which only some taps exist.

    Args:
        in_channels: C.
        out_channels: C'.
        places: of the taps in the kernel, row by row.
    """

    places: Tensor

    def __init__(self, in_channels: int, out_channels: int, places: Sequence[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels, len(places)))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))  # as torch's convolutions
        self.register_buffer("places", torch.tensor(places), persistent=False)

    def forward(self, state: Tensor) -> Tensor:
        """Map (N, C, I, J) to (N, C', I, J)."""
        none = self.weight.new_zeros(*self.weight.shape[:2], 9)
        kernel = none.index_copy(2, self.places, self.weight).unflatten(2, (3, 3))
        return functional.conv2d(state, kernel, padding=1)


def _neighbors(in_channels: int, out_channels: int, places: Sequence[int]) -> nn.Module:
    if len(places) == 9:
        return nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
    return SomeNeighbors(in_channels, out_channels, places)


def pitch(rows: int) -> Tensor:
    """Return the places (rows,) between 0 and 1 of frequencies from 0 to Nyquist: close to even steps in octaves, as music is."""
    frequency = torch.linspace(0, 1, rows)
    return torch.log1p(frequency / LOWEST_OCTAVE) / math.log1p(1 / LOWEST_OCTAVE)


def _scaled(layer: nn.Conv2d, hidden: Tensor, gains: Tensor) -> Tensor:
    """Apply a 1 x 1 convolution to channels times their gains (H, 1), which costs least where the weights are."""
    return functional.conv2d(hidden, layer.weight * gains[..., None], layer.bias)
