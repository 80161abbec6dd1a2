"""Both curves against SciPy and against signals known between their samples."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.interpolate
import torch

from models.classical.resampling import SINC, SINC_HALF_WIDTH, SPLINE, resample


@pytest.mark.parametrize("step", [Fraction(1, 4), Fraction(5, 16), Fraction(80, 441)])
@pytest.mark.parametrize("samples", [2, 3, 10, 200])
def test_spline_is_scipys_natural_spline_also_beyond_its_end(step: Fraction, samples: int) -> None:
    values = np.random.default_rng(0).standard_normal((2, samples))
    count = int(samples / step)
    positions = np.arange(count) * float(step)
    expected = scipy.interpolate.CubicSpline(np.arange(samples), values, axis=1, bc_type="natural")(positions)
    restored = resample(torch.from_numpy(values), step, count, SPLINE)
    np.testing.assert_allclose(restored.numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("kernel", [SINC, SPLINE])
def test_curves_pass_through_their_samples(kernel) -> None:
    values = torch.randn(3, 50, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    torch.testing.assert_close(resample(values, Fraction(1, 3), 148, kernel)[:, ::3], values)
    torch.testing.assert_close(resample(values, Fraction(1), 50, kernel), values)


@pytest.mark.parametrize("step", [Fraction(1, 4), Fraction(5, 16), Fraction(80, 441), Fraction(7, 3)])
def test_sinc_is_exact_on_sines_inside(step: Fraction) -> None:
    cycles_per_sample = 0.45 if step < 1 else 0.2
    values = torch.sin(2 * torch.pi * cycles_per_sample * torch.arange(600, dtype=torch.float64))[None]
    count = int(600 / step)
    positions = torch.arange(count, dtype=torch.float64) * float(step)
    inside = (positions > SINC_HALF_WIDTH) & (positions < 600 - SINC_HALF_WIDTH)
    error = resample(values, step, count, SINC)[0] - torch.sin(2 * torch.pi * cycles_per_sample * positions)
    assert error[inside].abs().max() < 2e-4


@pytest.mark.parametrize("kernel", [SINC, SPLINE])
@pytest.mark.parametrize("samples", [1, 2, 3, 65])
def test_constants_and_short_signals_stay_what_they_are(kernel, samples: int) -> None:
    restored = resample(torch.full((1, samples), 0.5), Fraction(1, 4), 4 * samples, kernel)
    torch.testing.assert_close(restored, torch.full((1, 4 * samples), 0.5), atol=1e-3, rtol=0)
