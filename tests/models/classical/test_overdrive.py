"""The inverse of an overdrive against the formula in SciPy: exact at its gain, and the oracle finds the gain."""

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.overdrive import OverdriveInverse, OverdriveInverseOracle


def sound(level: float = 0.3, samples: int = 16000) -> Tensor:
    """Return a chord that decays, (1, 1, T)."""
    seconds = np.arange(samples) / 16000
    chord = sum(np.sin(2 * np.pi * hz * seconds + hz) for hz in (110.0, 220.5, 331.0, 997.0))
    return torch.from_numpy(level * chord / 4 * np.exp(-seconds)).float()[None, None]


def static(clean: Tensor, gain_db: float, colour: float) -> np.ndarray:
    """Bend as the formula has it, in double precision: x / 2 + 3 / 4 (f(g x + c) - f(c)), without the filter."""
    bent, rest = _curve(clean, gain_db, colour), _curve(torch.zeros(1), gain_db, colour)
    return 0.5 * clean.double().numpy() + 0.75 * (bent - rest)


def overdriven(clean: Tensor, gain_db: float, colour: float = 20.0) -> Tensor:
    """Overdrive as SoX does, in double precision."""
    filtered = lfilter([1, -1], [1, -0.995], _curve(clean, gain_db, colour))
    return torch.from_numpy(np.clip(0.5 * clean.double().numpy() + 0.75 * filtered, -1, 1)).float()


def _curve(clean: Tensor, gain_db: float, colour: float) -> np.ndarray:
    u = np.clip(10 ** (gain_db / 20) * clean.double().numpy() + colour / 200, -1, 1)
    return np.asarray(u - u**3 / 3)


@pytest.mark.parametrize("gain_db", [0.0, 5.0, 17.5, 30.0, 60.0])
@pytest.mark.parametrize("colour", [0.0, 20.0, 100.0])
def test_static_curve_is_inverted_from_end_to_end(gain_db: float, colour: float) -> None:
    clean = torch.linspace(-0.99, 0.99, 4001)[None, None]
    restored = OverdriveInverse(gain_db, colour, rounds=0)(torch.from_numpy(static(clean, gain_db, colour)).float())
    assert (restored - clean).abs().max() < 2e-5


@pytest.mark.parametrize(("gain_db", "least_db"), [(5.0, 60.0), (17.5, 40.0), (30.0, 35.0)])
def test_rounds_undo_the_filter_too(gain_db: float, least_db: float) -> None:
    clean = sound()
    corrupted = overdriven(clean, gain_db)
    whole, curve_alone = (snr_db(OverdriveInverse(gain_db, rounds=rounds)(corrupted), clean).item() for rounds in (20, 0))
    assert whole > least_db and whole > curve_alone + 15


def test_filter_takes_away_what_scipy_says() -> None:
    bent = torch.rand(2, 2, 5000, generator=torch.Generator().manual_seed(0))
    expected = bent.double().numpy() - lfilter([1, -1], [1, -0.995], bent.double().numpy())
    np.testing.assert_allclose(OverdriveInverse().taken_by_filter(bent).numpy(), expected, atol=5e-5)


@pytest.mark.parametrize("gain_db", [5.0, 11.37, 30.0])
def test_oracle_finds_the_gain_of_every_example(gain_db: float) -> None:
    clean = torch.cat([sound(), sound(0.1)])
    corrupted = torch.cat([overdriven(clean[:1], gain_db), overdriven(clean[1:], gain_db + 3)])
    oracle = OverdriveInverseOracle()
    assert oracle.true_gains_db(corrupted, clean).flatten().tolist() == pytest.approx([gain_db, gain_db + 3], abs=0.02)
    blind = OverdriveInverse()(corrupted)
    told = oracle.restore_with_clean(corrupted, clean)
    assert (snr_db(told, clean) > snr_db(blind, clean) + 10).all()


def test_silence_stays_silent_at_full_length() -> None:
    silence = torch.zeros(1, 1, 3000)
    assert OverdriveInverse(rounds=0)(silence).abs().max() < 1e-6


@pytest.mark.parametrize("settings", [{"gain_db": -1}, {"gain_db": 61}, {"colour": 101}, {"rounds": -1}])
def test_settings_out_of_range_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="gain_db must be from 0 to 60, colour from 0 to 100, rounds at least 0; got"):
        OverdriveInverse(**settings)  # type: ignore[arg-type]
