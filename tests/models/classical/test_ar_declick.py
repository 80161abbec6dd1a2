"""Clicks in tones and noise are found and filled; what is no click stays as it is."""

import numpy as np
import pytest
import torch
from scipy.linalg import solve_toeplitz, toeplitz
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.ar_declick import ARDeclick, autoregression, filled, misfit
from models.layers.setting_error import SettingError
from tests.models.classical.decaying_tones import chord, in_white_noise

PLACES = torch.tensor([2500, 3333, 7000, 9000, 12000, 15000, 18000, 20000])


def clicked(signal: Tensor, height: float = 0.3) -> Tensor:
    struck = signal.clone()
    struck[..., PLACES] += height * torch.tensor([1.0, -1.0]).repeat(4)
    return struck


def test_model_is_that_of_the_autocorrelation() -> None:
    frame = np.random.default_rng(0).standard_normal(500).cumsum()
    windowed = frame * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(500) / 500))
    correlation = np.correlate(windowed, windowed, "full")[499:508]
    correlation[0] *= 1 + 1e-7
    expected = [1.0, *-solve_toeplitz(correlation[:8], correlation[1:])]
    np.testing.assert_allclose(autoregression(torch.from_numpy(frame), 8).numpy(), expected, rtol=1e-4, atol=1e-5)
    assert torch.equal(autoregression(torch.zeros(2, 500), 3), torch.tensor([[1.0, 0, 0, 0]] * 2))


def test_unknown_samples_are_those_of_least_error() -> None:
    frame, model = np.random.default_rng(0).standard_normal(60), np.array([1.0, -1.2, 0.6, -0.1])
    unknown = np.isin(np.arange(60), [0, 20, 21, 22, 40, 59])
    errors = toeplitz(np.r_[model, np.zeros(59)], np.r_[1.0, np.zeros(59)])  # A, of x between silence
    expected = frame.copy()
    expected[unknown] = np.linalg.lstsq(errors[:, unknown], -errors[:, ~unknown] @ frame[~unknown], rcond=None)[0]
    given = (torch.from_numpy(value)[None] for value in (frame, model, unknown))
    np.testing.assert_allclose(filled(*given)[0].numpy(), expected, atol=1e-8)
    off = misfit(torch.from_numpy(frame), torch.from_numpy(model)).numpy()
    np.testing.assert_allclose(off, errors.T @ errors @ frame / (model @ model), atol=1e-9)


def test_clicks_in_tones_go() -> None:
    clean = chord()
    restored = ARDeclick(8000)(clicked(clean))
    assert snr_db(clicked(clean), clean) < 22
    assert snr_db(restored, clean) > 45


def test_clicks_in_noisy_tones_go_and_the_noise_stays() -> None:
    clean = in_white_noise(chord(), 25.0)
    restored = ARDeclick(8000)(clicked(clean))
    assert (restored != clicked(clean)).sum() < 40
    assert snr_db(restored, clean) > snr_db(clicked(clean), clean) + 15


def test_what_is_no_click_stays() -> None:
    noise = torch.randn(2, 2, 20000, generator=torch.Generator().manual_seed(0))
    for signal in (noise, in_white_noise(chord(), 20.0), torch.zeros(1, 1, 9000)):
        restored = ARDeclick(8000)(signal)
        assert torch.equal(restored, signal)
        assert restored is not signal


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="order=0 must be"):
        ARDeclick(8000, order=0)
    with pytest.raises(SettingError, match="threshold=0 must be above 0"):
        ARDeclick(8000, threshold=0)
