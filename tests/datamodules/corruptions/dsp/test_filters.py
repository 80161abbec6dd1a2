"""Magnitude responses agree with SciPy's designs and never change the level of low frequencies."""

import math

import numpy as np
import pytest
import scipy.signal
import torch

from datamodules.corruptions.dsp.filters import FAMILIES, FilterDesign, magnitude_response

FFT_SAMPLES = 4096
RIPPLE_DB = 0.3
STOPBAND_DB = 60.0

SCIPY_DESIGNS = {
    "butterworth": lambda order, cutoff: scipy.signal.butter(order, 2 * cutoff, output="sos"),
    "chebyshev1": lambda order, cutoff: scipy.signal.cheby1(order, RIPPLE_DB, 2 * cutoff, output="sos"),
    "elliptic": lambda order, cutoff: scipy.signal.ellip(order, RIPPLE_DB, STOPBAND_DB, 2 * cutoff, output="sos"),
    "bessel": lambda order, cutoff: scipy.signal.bessel(order, 2 * cutoff, norm="mag", output="sos"),
}


def design(cutoffs: list[float], orders: list[int]) -> FilterDesign:
    count = len(cutoffs)
    return FilterDesign(
        torch.tensor(cutoffs, dtype=torch.float64),
        torch.tensor(orders),
        torch.full((count,), RIPPLE_DB, dtype=torch.float64),
        torch.full((count,), STOPBAND_DB, dtype=torch.float64),
        torch.device("cpu"),
    )


@pytest.mark.parametrize("family", SCIPY_DESIGNS)
@pytest.mark.parametrize("order", [1, 2, 5, 8, 12, 16])
@pytest.mark.parametrize("cutoff", [0.01, 0.11, 0.3, 0.45])
def test_recursive_families_equal_scipy_designs(family: str, order: int, cutoff: float) -> None:
    ours = magnitude_response([family], design([cutoff], [order]), FFT_SAMPLES)[0].double().numpy()
    frequencies = 2 * np.pi * np.arange(FFT_SAMPLES // 2 + 1) / FFT_SAMPLES
    theirs = np.abs(scipy.signal.sosfreqz(SCIPY_DESIGNS[family](order, cutoff), frequencies)[1])
    theirs = theirs / theirs[0]
    audible = theirs > 1e-4
    np.testing.assert_allclose(20 * np.log10(ours[audible]), 20 * np.log10(theirs[audible]), atol=0.02)
    np.testing.assert_allclose(ours, theirs, atol=2e-4)


@pytest.mark.parametrize("order", [2, 7, 12])
def test_windowed_sinc_equals_scipy_firwin(order: int) -> None:
    cutoff, half_length = 1 / 16, 4 * order * 8
    ours = magnitude_response(["windowed_sinc"], design([cutoff], [order]), FFT_SAMPLES)[0].numpy()
    taps = scipy.signal.firwin(2 * half_length + 1, 2 * cutoff, window="hann")
    response = np.fft.rfft(taps, FFT_SAMPLES) * np.exp(2j * np.pi * half_length * np.arange(FFT_SAMPLES // 2 + 1) / FFT_SAMPLES)
    np.testing.assert_allclose(ours, response.real, atol=2e-5)


def test_brick_wall_keeps_the_cutoff_and_nothing_above() -> None:
    response = magnitude_response(["brick_wall"], design([256 / FFT_SAMPLES], [2]), FFT_SAMPLES)[0]
    assert response[:257].eq(1).all() and response[257:].eq(0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_low_frequencies_keep_their_level(family: str) -> None:
    response = magnitude_response([family] * 2, design([0.2, 0.2], [4, 8]), FFT_SAMPLES)
    assert response[:, :8].log10().mul(20).abs().max() < 0.01


def test_rows_of_a_mixed_batch_equal_single_designs() -> None:
    families, cutoffs, orders = [*FAMILIES, *FAMILIES], [0.03 * (1 + row) for row in range(14)], list(range(2, 16))
    together = magnitude_response(families, design(cutoffs, orders), FFT_SAMPLES)
    alone = [magnitude_response([f], design([c], [o]), FFT_SAMPLES) for f, c, o in zip(families, cutoffs, orders, strict=True)]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-6, rtol=1e-5)


def test_elliptic_ripples_stay_within_their_bounds() -> None:
    response = magnitude_response(["elliptic"], design([0.1], [7]), 1 << 15)[0].log10().mul(20)
    edge = math.floor(0.1 * (1 << 15))
    assert response[:edge].min() == pytest.approx(-RIPPLE_DB, abs=0.01)
    assert response[int(1.3 * edge) :].max() == pytest.approx(-STOPBAND_DB, abs=0.5)
