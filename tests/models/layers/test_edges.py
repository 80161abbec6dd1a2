"""What stands around a signal, and what its two channels are."""

import math

import pytest
import torch

from models.layers.edges import burg, continued, silent
from models.layers.mid_side import as_mid_side
from models.layers.straight_through import rounded_to


def test_constant_goes_on_where_zeros_would_end_it() -> None:
    constant = torch.full((1, 2, 8), 0.5)
    torch.testing.assert_close(continued(constant, 3, 5), torch.full((1, 2, 16), 0.5))
    assert silent(constant, 1, 1)[0, 0].tolist() == [0, *[0.5] * 8, 0]
    assert not continued(torch.zeros(1, 2, 100), 9, 9).any()


@pytest.mark.parametrize("period", [8, 25.06, 100])
def test_sine_goes_on(period: float) -> None:
    sine = torch.sin(
        2 * math.pi * (torch.arange(280) / period + torch.rand(16, 2, 1, generator=torch.Generator().manual_seed(0)))
    )
    torch.testing.assert_close(continued(sine[..., 12:-12], 12, 12), sine, atol=0.05, rtol=0)


def test_predictor_is_that_of_a_process_made_by_two_taps() -> None:
    generator = torch.Generator().manual_seed(0)
    process = torch.zeros(2, 20_000, dtype=torch.float64)
    for n in range(2, process.shape[-1]):
        step = torch.randn(2, generator=generator, dtype=torch.float64)
        process[:, n] = 1.5 * process[:, n - 1] - 0.8 * process[:, n - 2] + step
    torch.testing.assert_close(burg(process, 2), torch.tensor([[1, -1.5, 0.8]] * 2, dtype=torch.float64), atol=0.05, rtol=0)


def test_what_goes_on_does_not_grow() -> None:
    loud = torch.randn(50, 2, 64, generator=torch.Generator().manual_seed(0)) * torch.linspace(0.01, 1, 64) ** 4
    assert continued(loud, 200, 200).abs().max() <= loud.abs().max() * 1.5


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
