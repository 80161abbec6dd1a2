"""Smoothing filters against SciPy's, forward and backward."""

import numpy as np
import pytest
import torch
from scipy.signal import butter, cheby1, ellip, sosfiltfilt

from models.classical.smoothing import Butterworth, Chebyshev, Elliptic, Smoothing
from models.layers.setting_error import SettingError

FILTERS = [
    (Butterworth(3, 0.2), butter(3, 0.2, output="sos")),
    (Chebyshev(5, 0.5, 0.5), cheby1(5, 0.5, 0.5, output="sos")),
    (Elliptic(4, 0.7, 0.1, 40.0), ellip(4, 0.1, 40.0, 0.7, output="sos")),
]


@pytest.mark.parametrize(("net", "sections"), FILTERS)
def test_filters_are_those_of_scipy_in_zero_phase(net: Smoothing, sections: np.ndarray) -> None:
    signal = torch.randn(2, 2, 3000, generator=torch.Generator().manual_seed(0))
    expected = sosfiltfilt(sections, signal.double().numpy(), padtype="even", padlen=1000)
    np.testing.assert_allclose(net(signal).numpy(), expected, atol=2e-5)


@pytest.mark.parametrize(("net", "sections"), FILTERS)
def test_a_constant_stays_but_for_the_ripple(net: Smoothing, sections: np.ndarray) -> None:
    gain = float(net(torch.ones(1, 1, 1))[0, 0, 0])
    assert gain == pytest.approx(float(np.prod(sections[:, :3].sum(1) / sections[:, 3:].sum(1)) ** 2), abs=1e-4)
    assert (net(torch.ones(1, 1, 700)) - gain).abs().max() < 1e-4


def test_half_of_white_noise_is_half_of_the_band() -> None:
    noise = torch.randn(1, 1, 100_000, generator=torch.Generator().manual_seed(0))
    kept = {type(net): (net(noise).square().mean() / noise.square().mean()).item() for net in (Butterworth(12), Elliptic(8))}
    assert kept == pytest.approx(dict.fromkeys(kept, 0.5), abs=0.02)


def test_settings_are_checked() -> None:
    for cutoff in (0.0, 1.0):
        with pytest.raises(SettingError, match=f"cutoff={cutoff} must lie between 0 and 1"):
            Butterworth(cutoff=cutoff)
    with pytest.raises(SettingError, match="order=0 must be"):
        Chebyshev(order=0)
    with pytest.raises(SettingError, match="ripple_db=0 must be above 0"):
        Chebyshev(ripple_db=0)
    with pytest.raises(SettingError, match="stop_db=3 must be above ripple_db=3"):
        Elliptic(ripple_db=3, stop_db=3)
