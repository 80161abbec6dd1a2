"""Curves through held samples: exact where theory says so, known values elsewhere, and none where nothing repeats."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.corruptions.quantization import hold, hold_causal
from models.classical.held import held_blocks
from models.classical.hold_curves import AkimaHold, BandLimitedHold, CubicHold, HoldCurve, LinearHold, PolynomialHold
from models.classical.moving_average import MovingAverage
from models.layers.setting_error import SettingError

CURVES = [LinearHold, CubicHold, AkimaHold, PolynomialHold, BandLimitedHold]
FACTOR = 10


def sines(cycles: list[float], phase: float = 0.0) -> Tensor:
    places = torch.arange(100, dtype=torch.float64) / 100
    return torch.stack([torch.sin(2 * math.pi * (count * places + phase)) for count in cycles])[:, None].float()


def held(clean: Tensor, factor: int = FACTOR) -> Tensor:
    return hold_causal(clean, torch.full((len(clean),), factor))


def error(curve: HoldCurve, clean: Tensor) -> Tensor:
    """Return the mean squared error of each example (B,)."""
    return (curve(held(clean)) - clean).square().mean(dim=(1, 2))


@pytest.mark.parametrize("phase", [0.0, 0.1])
def test_band_limited_curve_is_exact_below_half_of_the_kept_rate(phase: float) -> None:
    below, above = (error(BandLimitedHold(4000, FACTOR), sines(cycles, phase)) for cycles in ([1, 2, 3, 4], [6, 7, 8, 9]))
    assert float(below.max()) < 1e-12
    assert float(above.min()) > 0.9


def test_above_half_of_the_kept_rate_a_sine_looks_like_a_lower_one_upside_down() -> None:
    torch.testing.assert_close(held(sines([6, 7, 8, 9])), -held(sines([4, 3, 2, 1])), atol=1e-5, rtol=0)
    assert float(held(sines([5])).abs().max()) < 1e-5


@pytest.mark.parametrize("kind", CURVES)
def test_curve_goes_through_the_kept_samples(kind: type[HoldCurve]) -> None:
    clean = torch.randn(2, 2, 95, generator=torch.Generator().manual_seed(0))
    restored = kind(4000, FACTOR)(held(clean))
    torch.testing.assert_close(restored[..., ::FACTOR], clean[..., ::FACTOR], atol=1e-5, rtol=0)


def test_curves_have_the_values_of_their_formulas() -> None:
    steps = held(torch.tensor([0.0, 4.0, 4.0, 0.0]).repeat_interleave(4)[None, None], 4)
    linear = [0, 1, 2, 3, 4, 4, 4, 4, 4, 3, 2, 1, 0, 0, 0, 0]
    assert LinearHold(4000, 4)(steps).flatten().tolist() == linear
    cubic = PolynomialHold(4000, 4)(steps)[0, 0, :13]  # through (0, 0), (1, 4), (2, 4), (3, 0): 2 x (3 - x)
    torch.testing.assert_close(cubic, torch.tensor([2 * x * (3 - x) for x in np.arange(13) / 4]).float())
    natural = CubicHold(4000, 4)(steps)[0, 0, 6]  # second derivatives 0, m, m, 0 with 4 m + m = 6 (4 - 8 + 0)
    assert float(natural) == pytest.approx(4 + 4.8 / 8)


def test_polynomial_of_high_order_is_better_than_a_spline_and_that_than_lines_in_the_middle_of_slow_sines() -> None:
    clean = torch.sin(2 * math.pi * torch.arange(400) / 80)[None, None]
    middle = [(kind(4000, FACTOR)(held(clean)) - clean)[..., 150:250].square().mean() for kind in (PolynomialHold, CubicHold)]
    middle += [(LinearHold(4000, FACTOR)(held(clean)) - clean)[..., 150:250].square().mean()]
    assert middle[0] < 0.1 * middle[1] < 0.1 * middle[2]


def test_blocks_are_found_wherever_they_begin() -> None:
    signal = held(torch.randn(1, 2, 200, generator=torch.Generator().manual_seed(0)), 7)[0].numpy()
    assert held_blocks(signal) == (7, 0)
    assert held_blocks(signal[:, 3:]) == (7, 4)
    assert held_blocks(np.random.default_rng(0).normal(size=(1, 50))) == (1, 0)
    assert held_blocks(np.zeros((1, 50))) == (1, 0)


def test_guessed_factor_restores_like_a_known_one_and_leaves_alone_what_repeats_nothing() -> None:
    clean = sines([1, 3])
    torch.testing.assert_close(AkimaHold(4000)(held(clean)), AkimaHold(4000, FACTOR)(held(clean)))
    assert torch.equal(AkimaHold(4000)(clean), clean)


def test_place_says_which_sample_of_a_block_is_shown() -> None:
    clean = sines([1, 2])
    centered = hold(clean, torch.tensor([9, 9]))
    right, wrong = ((LinearHold(4000, 9, place)(centered) - clean)[..., 9:90].square().mean() for place in (0.5, 0.0))
    assert right < 0.1 * wrong


def test_moving_average_is_the_mean_of_what_there_is() -> None:
    assert MovingAverage(3)(torch.tensor([[[0.0, 3.0, 6.0, 0.0]]])).flatten().tolist() == [1.5, 3.0, 3.0, 3.0]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: LinearHold(4000, 0), "hold_factor=0 must be a whole number, at least 1"),
        (lambda: LinearHold(4000, 4, 1.5), "place=1.5 must lie between 0"),
        (lambda: PolynomialHold(4000, order=0), "order=0 must be a whole number"),
        (lambda: MovingAverage(4), "samples=4 must be odd"),
    ],
)
def test_impossible_settings_are_refused(make, words):
    with pytest.raises(SettingError, match=words):
        make()
