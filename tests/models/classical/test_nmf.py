"""The factorization against its rules in NumPy, its divergence, and what it makes of noise."""

import numpy as np
import pytest
import torch

from models.classical.nmf import NMF, NOISE, factored
from models.layers.setting_error import SettingError

DRAW = np.random.default_rng(0)
VALUES = DRAW.gamma(1.0, 1.0, (30, 3)) @ DRAW.gamma(0.5, 1.0, (3, 20)) + NOISE


def divergence(values: np.ndarray, model: np.ndarray) -> float:
    return float((values * np.log(values / model) - values + model).sum())


def model_after(iterations: int) -> np.ndarray:
    levels, spectra = factored(torch.from_numpy(VALUES)[None], NOISE, 3, iterations)
    return (levels @ spectra)[0].numpy() + NOISE


def test_an_iteration_is_that_of_lee_and_seung() -> None:
    levels, spectra = (part[0].numpy() for part in factored(torch.from_numpy(VALUES)[None], NOISE, 3, 4))
    levels = levels * ((VALUES / (levels @ spectra + NOISE)) @ spectra.T) / spectra.sum(1)
    spectra = spectra * (levels.T @ (VALUES / (levels @ spectra + NOISE))) / levels.sum(0)[:, None]
    np.testing.assert_allclose(levels @ spectra + NOISE, model_after(5), rtol=1e-10)


def test_divergence_falls_to_nothing_where_the_model_holds() -> None:
    falling = [divergence(VALUES, model_after(iterations)) for iterations in (1, 2, 5, 20, 100, 1000)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 0.002 * falling[0]


def test_noise_alone_is_modeled_by_its_known_part() -> None:
    power = torch.from_numpy(DRAW.exponential(2.0, (1, 400, 60))).float()
    gains = NMF(8000, components=4).gains(power, torch.full((1, 1, 60), 2.0))
    assert (gains.square() * power).mean() < 0.05 * power.mean()


def test_settings_are_checked() -> None:
    with pytest.raises(SettingError, match="components=0 must be"):
        NMF(8000, components=0)
