"""The interpolating methods: what they reproduce, what they remove, and what they leave alone."""

import numpy as np
import pytest
import scipy.interpolate
import torch
from torch import Tensor

from models.classical.interpolation import CubicSpline, Sinc

SAMPLE_RATE = 16000


def tones(*frequencies_hz: float, samples: int = 16000) -> Tensor:
    time = torch.arange(samples, dtype=torch.float64) / SAMPLE_RATE
    return sum(torch.sin(2 * torch.pi * hz * time + hz) for hz in frequencies_hz).float()[None, None] / len(frequencies_hz)


def noise(*shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("low_rate_hz", [4000, 5000, 7350.0, 11025])
def test_sinc_reproduces_band_limited_signals_inside(low_rate_hz: float) -> None:
    signal = tones(200, 431.7, 0.4 * low_rate_hz)
    restored = Sinc(SAMPLE_RATE, low_rate_hz)(signal)
    assert (restored - signal)[..., 1000:-1000].abs().max() < 1e-3


def test_cubic_spline_is_scipys_through_every_fourth_sample() -> None:
    signal = noise(2, 2, 401)
    curve = scipy.interpolate.CubicSpline(np.arange(0, 401, 4), signal[..., ::4].numpy(), axis=-1, bc_type="natural")
    np.testing.assert_allclose(CubicSpline(SAMPLE_RATE, 4000)(signal).numpy(), curve(np.arange(401)), atol=1e-5)


def test_sinc_removes_the_images_of_a_hold() -> None:
    signal = tones(500, 1300)
    held = signal[..., ::4].repeat_interleave(4, dim=-1)
    restored = Sinc(SAMPLE_RATE, 4000)(held)
    assert (held - signal).square().mean() > 0.01
    assert (restored - signal)[..., 1000:-1000].square().mean() < 1e-6


@pytest.mark.parametrize("method", [CubicSpline, Sinc])
def test_the_low_rate_is_found_per_example(method) -> None:
    linear = torch.nn.functional.interpolate(noise(1, 1, 4001), 16001, mode="linear", align_corners=True)[..., :16000]
    full = noise(1, 1, 16000)
    restored = method(SAMPLE_RATE)(torch.cat([linear, full]))
    torch.testing.assert_close(restored[:1], method(SAMPLE_RATE, 4000)(linear))
    assert torch.equal(restored[1:], full)


@pytest.mark.parametrize("method", [CubicSpline, Sinc])
@pytest.mark.parametrize("low_rate_hz", [None, 3000, 4000])
@pytest.mark.parametrize("length", [1, 2, 100, 801])
def test_any_length_and_channel_count(method, low_rate_hz: float | None, length: int) -> None:
    signal = noise(2, 3, length)
    before = signal.clone()
    restored = method(SAMPLE_RATE, low_rate_hz)(signal)
    assert restored.shape == signal.shape and restored.dtype == signal.dtype
    assert torch.isfinite(restored).all() and torch.equal(signal, before)


@pytest.mark.parametrize("method", [CubicSpline, Sinc])
def test_a_batch_equals_its_examples_and_silence_stays_silent(method) -> None:
    signal = noise(3, 2, 3000)
    signal[1] = 0
    net = method(SAMPLE_RATE, 4000)
    restored = net(signal)
    torch.testing.assert_close(restored, torch.cat([net(example[None]) for example in signal]))
    assert (restored[1] == 0).all()


@pytest.mark.parametrize("method", [CubicSpline, Sinc])
def test_rates_are_checked(method) -> None:
    with pytest.raises(ValueError, match="low_rate_hz must be from 25 to sample_rate=16000, or null, got 20000"):
        method(SAMPLE_RATE, 20000)
    with pytest.raises(ValueError, match="sample_rate must be positive, got 0"):
        method(0)
