"""The gains of Ephraim and Malah against the functions of SciPy and against the expectations that they are."""

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.special import exp1, i0e

from models.classical.mmse import MmseLsa, MmseStsa

PRIORS, POSTERIORS = (10**-2.5, 0.1, 1.0, 30.0, 1e4), (1e-6, 0.03, 1.0, 7.0, 90.0, 1e4)


def expected(prior: float, posterior: float, logarithm: bool) -> float:
    """Integrate the amplitude a R, or its logarithm, over its density given |Y| = R (a Rice density), in NumPy and SciPy.

    In units of the deviation of the noise, R^2 = gamma; the spectrum of the sound given Y is Gaussian around m = xi / (1 + xi) R
    with the variance s = xi / (1 + xi).
    """
    s = prior / (1 + prior)
    mean = s * np.sqrt(posterior)

    def density(a: float) -> float:
        return float(2 * a / s * np.exp(-((a - mean) ** 2) / s) * i0e(2 * a * mean / s))

    near = (max(0.0, mean - 12 * np.sqrt(s)), mean + 12 * np.sqrt(s))
    value = quad(lambda a: (np.log(a) if logarithm else a) * density(a), *near, limit=500)[0]
    return float((np.exp(value) if logarithm else value) / np.sqrt(posterior))


@pytest.mark.parametrize("posterior", POSTERIORS)
@pytest.mark.parametrize("prior", PRIORS)
def test_gains_are_the_expected_amplitude_and_logarithm(prior: float, posterior: float) -> None:
    given = torch.tensor([[prior]]), torch.tensor([[posterior]])
    assert MmseStsa(8000).gain(*given).item() == pytest.approx(expected(prior, posterior, False), rel=1e-4)
    assert MmseLsa(8000).gain(*given).item() == pytest.approx(expected(prior, posterior, True), rel=1e-4)


def test_exponential_integral_is_that_of_scipy() -> None:
    v = np.logspace(-10, 3, 2001)
    found = MmseLsa(8000).exp_half_e1(torch.from_numpy(v).float()).numpy()
    np.testing.assert_allclose(found, np.exp(exp1(v) / 2), rtol=2e-5)


@pytest.mark.parametrize("kind", [MmseStsa, MmseLsa])
def test_silent_bins_have_finite_gains(kind: type[MmseStsa] | type[MmseLsa]) -> None:
    power = torch.zeros(1, 12, 5)
    gains = kind(8000).gains(power, torch.ones(1, 1, 5))
    assert gains.isfinite().all() and (gains >= 0).all()
