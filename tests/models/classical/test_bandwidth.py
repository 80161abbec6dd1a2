"""The blind estimate of the occupied band on signals whose band is known."""

import numpy as np
import pytest
import torch
from torch import Tensor

from models.classical.bandwidth import SHORTEST_SAMPLES, occupied_bandwidth_hz

SAMPLE_RATE = 16000


def pink_noise(samples: int = 16000, seed: int = 0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), samples)


def brick_wall(signal: np.ndarray, cutoff_hz: float, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(len(signal), 1 / sample_rate) > cutoff_hz] = 0
    return np.fft.irfft(spectrum, len(signal))


def batch(*signals: np.ndarray) -> Tensor:
    return torch.stack([torch.from_numpy(signal).float()[None] for signal in signals])


@pytest.mark.parametrize("cutoff_hz", [1500, 3000, 5000])
def test_bandwidth_is_where_the_spectrum_falls(cutoff_hz: float) -> None:
    assert occupied_bandwidth_hz(batch(brick_wall(pink_noise(), cutoff_hz)), SAMPLE_RATE).item() == pytest.approx(
        cutoff_hz, abs=40
    )


@pytest.mark.parametrize("sample_rate", [4000, 11025, 48000, 192000])
def test_same_bandwidth_is_found_at_every_sample_rate(sample_rate: int) -> None:
    limited = batch(brick_wall(pink_noise(sample_rate), 1500, sample_rate))
    assert occupied_bandwidth_hz(limited, sample_rate).item() == pytest.approx(1500, abs=40)


def test_a_slope_is_no_cliff() -> None:
    steep = np.cumsum(pink_noise())  # 9 dB per octave
    signals = batch(pink_noise(), steep - steep.mean(), np.zeros(16000), np.sin(np.arange(16000)))
    assert occupied_bandwidth_hz(signals, SAMPLE_RATE)[:3].tolist() == [8000.0] * 3


def test_examples_of_a_batch_have_bands_of_their_own_whatever_their_level() -> None:
    signals = batch(brick_wall(pink_noise(), 2000), 1e-3 * brick_wall(pink_noise(seed=1), 4000), pink_noise(seed=2))
    before = signals.clone()
    found = occupied_bandwidth_hz(signals, SAMPLE_RATE)
    assert found.tolist() == pytest.approx([2000, 4000, 8000], abs=40)
    assert torch.equal(signals, before)


def test_weak_noise_above_the_cliff_does_not_hide_it() -> None:
    limited = brick_wall(pink_noise(), 3000)
    floor = 1e-3 * limited.std() * np.random.default_rng(3).standard_normal(limited.size)
    assert occupied_bandwidth_hz(batch(limited + floor), SAMPLE_RATE).item() == pytest.approx(3000, abs=100)


def test_too_short_a_signal_fills_its_band() -> None:
    assert occupied_bandwidth_hz(torch.ones(2, 1, SHORTEST_SAMPLES - 1), SAMPLE_RATE).tolist() == [8000.0, 8000.0]
