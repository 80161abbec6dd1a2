"""The blind estimates on signals whose low rate is known."""

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor

from models.classical.low_rate import image_coherence, low_rates_hz

SAMPLE_RATE = 16000


def pink_noise(samples: int = 16000, seed: int = 0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    return np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), samples)


def brick_wall(signal: np.ndarray, cutoff_hz: float) -> np.ndarray:
    spectrum = np.fft.rfft(signal)
    spectrum[np.fft.rfftfreq(len(signal), 1 / SAMPLE_RATE) > cutoff_hz] = 0
    return np.fft.irfft(spectrum, len(signal))


def batch(*signals: np.ndarray) -> Tensor:
    return torch.stack([torch.from_numpy(signal).float()[None] for signal in signals])


@pytest.mark.parametrize("ratio", [2, 4])
@pytest.mark.parametrize("kind", ["hold", "linear", "sinc"])
def test_low_rate_is_found_whatever_the_interpolation(ratio: int, kind: str) -> None:
    low = brick_wall(pink_noise(), 0.9 * SAMPLE_RATE / 2 / ratio)[::ratio]
    time = np.arange(16000) / ratio
    restored = {
        "hold": np.repeat(low, ratio),
        "linear": np.interp(time, np.arange(len(low)), low),
        "sinc": scipy.signal.resample(low, 16000),
    }[kind]
    assert low_rates_hz(batch(restored, pink_noise(seed=1)), SAMPLE_RATE) == [SAMPLE_RATE / ratio, SAMPLE_RATE]


def test_images_are_coherent_and_independent_bands_are_not() -> None:
    held = np.repeat(pink_noise(4000), 4)
    images, independent = image_coherence(batch(held, pink_noise()), SAMPLE_RATE, 4000).tolist()
    assert images > 0.95
    assert independent < 0.4


def test_too_short_a_signal_has_no_limit() -> None:
    assert low_rates_hz(torch.ones(2, 1, 100), SAMPLE_RATE) == [SAMPLE_RATE, SAMPLE_RATE]
