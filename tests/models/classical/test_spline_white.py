"""The spline with a noise floor: the spline itself, and noise of the stated level that is the same every time."""

import math

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.lsd import lsd_hf
from models.classical.fixed_noise import fixed_noise
from models.classical.interpolation import CubicSpline, Sinc
from models.classical.spline_white import SplineWhite

SAMPLE_RATE = 16000


@pytest.fixture(scope="module")
def clean() -> Tensor:
    return 0.1 * torch.randn(1, 2, 32000, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def limited(clean: Tensor) -> Tensor:
    return Sinc(SAMPLE_RATE, 4000)(clean)


@pytest.mark.parametrize("level_dbfs", [-80.0, -40.0])
def test_noise_of_the_level_is_added_to_the_spline(limited: Tensor, level_dbfs: float) -> None:
    added = SplineWhite(SAMPLE_RATE, 4000, level_dbfs)(limited) - CubicSpline(SAMPLE_RATE, 4000)(limited)
    assert 20 * math.log10(added.std().item()) == pytest.approx(level_dbfs, abs=0.1)
    power = torch.fft.rfft(added[0, 0]).abs().square()
    assert power[:8000].mean().item() == pytest.approx(power[8000:].mean().item(), rel=0.1)
    correlation = (added[0, 0] * added[0, 1]).mean() / added.var()
    assert abs(correlation.item()) < 0.03


def test_the_log_spectral_distance_falls_though_nothing_is_restored(clean: Tensor, limited: Tensor) -> None:
    distance = lsd_hf(SAMPLE_RATE, 2000)
    spline = distance(CubicSpline(SAMPLE_RATE, 4000)(limited), clean)
    assert distance(SplineWhite(SAMPLE_RATE, 4000)(limited), clean).item() < spline.item() - 0.5


def test_signal_without_a_band_limit_is_left_alone(clean: Tensor) -> None:
    assert torch.equal(SplineWhite(SAMPLE_RATE)(clean), clean)


def test_fixed_noise_repeats_after_its_period_and_is_of_unit_variance() -> None:
    noise = fixed_noise(torch.zeros(1, 3, 25000), 10000)
    assert torch.equal(noise[:, :10000], noise[:, 10000:20000]) and torch.equal(noise[:, :5000], noise[:, 20000:])
    assert noise.var(dim=-1).tolist() == pytest.approx([1, 1, 1], abs=0.05)
    assert not torch.equal(noise[0], noise[1])
