"""The blind estimates on signals whose low rate is known."""

from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from models.classical.frames import frame_samples
from models.classical.low_rate import FEWEST_FRAMES, FRAME_SECONDS, image_coherence, low_rates_hz, rates_of

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


@pytest.mark.parametrize("sample_rate", [11025, 44100, 48000, 96000, 192000])
def test_same_low_rate_is_found_at_every_sample_rate(sample_rate: int) -> None:
    limited = brick_wall(pink_noise(sample_rate), 0.98 * 2000, sample_rate)
    assert low_rates_hz(batch(limited, pink_noise(sample_rate, seed=1)), sample_rate) == [4000, sample_rate]


@pytest.mark.parametrize("sample_rate", [11025, 22255, 48000, 96000, 192000])
def test_images_are_found_at_every_sample_rate(sample_rate: int) -> None:
    held = np.repeat(pink_noise(sample_rate // 4), 4)
    assert low_rates_hz(batch(held), sample_rate) == [pytest.approx(sample_rate / 4)]


@pytest.mark.slow
def test_noise_of_any_sample_rate_has_no_low_one() -> None:
    noise = torch.randn(1, 1, 40_000, generator=torch.Generator().manual_seed(0))
    for sample_rate in range(4000, 50_001, 50):
        shortest = (FEWEST_FRAMES + 1) * frame_samples(FRAME_SECONDS, sample_rate) // 2
        assert low_rates_hz(noise[..., :shortest], sample_rate) == [sample_rate], sample_rate


def test_rate_close_to_the_sample_rate_leaves_no_images_to_find() -> None:
    held = batch(np.repeat(pink_noise(8000), 2))
    assert image_coherence(held, 16000, 15000).tolist() == [0]
    assert image_coherence(held, 16000, 8000).item() > 0.9


def test_tables_of_double_precision_stay_on_the_cpu() -> None:
    made: list[torch.dtype] = []

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            result = func(*args, **(kwargs or {}))
            if isinstance(result, Tensor) and result.device.type == "meta":
                made.append(result.dtype)
            return result

    with Watch():
        image_coherence(torch.zeros(1, 1, 16000, device="meta"), SAMPLE_RATE, 4000)
    assert torch.float32 in made and not {torch.float64, torch.complex128} & set(made)


def test_rate_that_is_known_is_that_of_every_example() -> None:
    noise = batch(pink_noise(seed=1), pink_noise(seed=2))
    assert rates_of(noise, SAMPLE_RATE, 4000) == [4000, 4000]
    assert rates_of(noise, SAMPLE_RATE, None) == low_rates_hz(noise, SAMPLE_RATE)
