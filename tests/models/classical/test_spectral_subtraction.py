"""The gains of spectral subtraction against the formulas in NumPy."""

import numpy as np
import pytest
import torch

from models.classical.spectral_subtraction import BeroutiSubtraction, SpectralSubtraction

DRAW = np.random.default_rng(0)
POWER, NOISE = DRAW.exponential(6.0, (9, 7)), DRAW.uniform(0.5, 2, 7)


def gains(net: SpectralSubtraction, power: np.ndarray = POWER) -> np.ndarray:
    return net.gains(torch.from_numpy(power)[None], torch.from_numpy(NOISE)[None, None])[0].numpy()


@pytest.mark.parametrize(
    ("multiple", "beta", "exponent", "floor"), [(5, 1, 1, 0.05), (1, 1, 1, 0), (2, 1, 0.5, 0.1), (1.5, 0.5, 1, 0)]
)
def test_gain_is_what_the_formula_says(multiple: float, beta: float, exponent: float, floor: float) -> None:
    expected = np.maximum(np.maximum(1 - multiple * (NOISE / POWER) ** beta, 0) ** exponent, floor)
    net = SpectralSubtraction(8000, over_subtraction=multiple, beta=beta, exponent=exponent, floor=floor)
    np.testing.assert_allclose(gains(net), expected, rtol=1e-12)


def test_magnitudes_are_thresholded_softly() -> None:
    left = gains(SpectralSubtraction(8000, over_subtraction=1.5, beta=0.5, floor=0)) * np.sqrt(POWER)
    np.testing.assert_allclose(left, np.maximum(np.sqrt(POWER) - 1.5 * np.sqrt(NOISE), 0), atol=1e-12)


def test_berouti_subtracts_by_the_ratio_of_the_frame() -> None:
    power = POWER * 10.0 ** np.arange(-4, 5)[:, None]
    snr_db = 10 * np.log10(power.sum(1) / NOISE.sum())
    assert snr_db.min() < -5 and snr_db.max() > 20
    multiple = np.interp(snr_db, [-5, 20], [4.75, 1.0])[:, None]
    left = np.minimum(np.maximum(power - multiple * NOISE, 0.02 * NOISE), power)
    net = BeroutiSubtraction(8000, floor=0.02)
    found = gains(net, power) ** 2 * power
    np.testing.assert_allclose(
        found[power > 0.02 * NOISE], np.maximum(power - multiple * NOISE, 0.02 * NOISE)[power > 0.02 * NOISE]
    )
    np.testing.assert_allclose(found, left)


def test_empty_bins_have_finite_gains() -> None:
    empty = np.zeros((3, 7))
    assert (gains(SpectralSubtraction(8000), empty) == 0.05).all()
    assert (gains(BeroutiSubtraction(8000), empty) == 1.0).all()
