"""What stands around a signal, and what its two channels are."""

import math

import pytest
import torch

from models.layers.edges import continued, silent
from models.layers.mid_side import as_mid_side
from models.layers.straight_through import rounded_to


def test_constant_and_slope_go_on_where_zeros_would_end_them() -> None:
    constant, slope = torch.full((1, 2, 8), 0.5), torch.arange(8.0)[None, None]
    assert torch.equal(continued(constant, 3, 5), torch.full((1, 2, 16), 0.5))
    assert torch.equal(continued(slope, 3, 5), torch.arange(-3.0, 13.0)[None, None])
    assert silent(constant, 1, 1)[0, 0].tolist() == [0, *[0.5] * 8, 0]


@pytest.mark.parametrize("samples", [1, 2, 5])
def test_signal_shorter_than_its_surroundings_goes_on_with_what_it_has(samples: int) -> None:
    signal = torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(0))
    around = continued(signal, 12, 12)
    assert around.shape == (1, 2, samples + 24) and torch.equal(around[..., 12:-12], signal)


def test_mid_and_side_keep_the_energy_and_turn_back() -> None:
    stereo = torch.randn(3, 2, 50, generator=torch.Generator().manual_seed(0))
    turned = as_mid_side(stereo)
    torch.testing.assert_close(turned[:, 0], (stereo[:, 0] + stereo[:, 1]) / math.sqrt(2))
    torch.testing.assert_close(turned.square().sum(dim=1), stereo.square().sum(dim=1))
    torch.testing.assert_close(as_mid_side(turned), stereo)


def test_rounding_lets_the_gradient_through_as_it_is() -> None:
    values = torch.tensor([0.2, 0.7], requires_grad=True)
    rounded = rounded_to(values, 0.5)
    rounded.square().sum().backward()
    assert rounded.tolist() == [0.0, 0.5]
    assert values.grad is not None and values.grad.tolist() == [0.0, 1.0]  # 2 x the rounded value
