"""The noise fill: where it puts energy, how much, and that it is the same every time."""

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.lsd import lsd_hf
from lightning_modules.metrics.snr import snr_db
from models.classical.interpolation import CubicSpline, Sinc
from models.classical.noise_fill import NoiseFill

SAMPLE_RATE = 16000


def sloped_noise(samples: int = 32000, seed: int = 0) -> Tensor:
    """Noise falling by 12 dB per octave above 500 Hz, (1, 1, T)."""
    spectrum = torch.fft.rfft(torch.randn(samples, generator=torch.Generator().manual_seed(seed)))
    frequency = torch.arange(len(spectrum)) * SAMPLE_RATE / samples
    return torch.fft.irfft(spectrum / (1 + (frequency / 500) ** 2), samples)[None, None]


def band_energy(signal: Tensor, low_hz: float, high_hz: float) -> float:
    power = torch.fft.rfft(signal[0, 0]).abs().square()
    frequency = torch.arange(len(power)) * SAMPLE_RATE / signal.shape[-1]
    return power[(frequency >= low_hz) & (frequency < high_hz)].sum().item()


@pytest.fixture
def clean() -> Tensor:
    return sloped_noise()


@pytest.fixture
def limited(clean: Tensor) -> Tensor:
    return Sinc(SAMPLE_RATE, 6000)(torch.fft.irfft(torch.fft.rfft(clean)[..., :5800], clean.shape[-1]))


def test_the_high_band_gets_the_level_of_the_extrapolated_envelope(clean: Tensor, limited: Tensor) -> None:
    filled = NoiseFill(SAMPLE_RATE, 6000, level_db=0.0)(limited)
    for low_hz, high_hz in [(3200, 4000), (4000, 6000), (6000, 8000)]:
        ratio = band_energy(filled, low_hz, high_hz) / band_energy(clean, low_hz, high_hz)
        assert 0.3 < ratio < 1.5  # the mean of the logarithm lies 2.5 dB below the mean


def test_lsd_falls_and_snr_hardly(clean: Tensor, limited: Tensor) -> None:
    spline, filled = CubicSpline(SAMPLE_RATE, 6000)(limited), NoiseFill(SAMPLE_RATE, 6000)(limited)
    distance = lsd_hf(SAMPLE_RATE, 3000)
    assert distance(filled, clean) < distance(limited, clean) - 1
    assert distance(filled, clean) < distance(spline, clean)
    assert snr_db(filled, clean) > snr_db(spline, clean) - 0.6


def test_the_low_band_is_kept(limited: Tensor) -> None:
    change = NoiseFill(SAMPLE_RATE, 6000)(limited) - CubicSpline(SAMPLE_RATE, 6000)(limited)
    assert band_energy(change, 0, 2200) < 1e-6 * band_energy(limited, 0, 2200)


def test_an_envelope_that_rises_goes_on_level() -> None:
    frequency = torch.arange(16001) / 2
    rising = torch.fft.rfft(torch.randn(32000, generator=torch.Generator().manual_seed(0))) * frequency * (frequency < 2900)
    limited = torch.fft.irfft(rising, 32000)[None, None] / 1e3
    filled = NoiseFill(SAMPLE_RATE, 6000, level_db=0.0)(limited)
    for low_hz in (4000, 6000):
        assert 0.3 < band_energy(filled, low_hz, low_hz + 500) / band_energy(limited, 1700, 2200) < 1.5


def test_noise_is_fixed_and_a_batch_equals_its_examples(limited: Tensor) -> None:
    signal = torch.cat([limited, 0.3 * limited.roll(500, -1)])
    net = NoiseFill(SAMPLE_RATE, 6000)
    assert torch.equal(net(signal), net(signal))
    torch.testing.assert_close(net(signal), torch.cat([net(example[None]) for example in signal]), atol=1e-6, rtol=1e-4)


def test_the_level_follows_the_example(limited: Tensor) -> None:
    net = NoiseFill(SAMPLE_RATE, 6000)
    torch.testing.assert_close(net(0.5 * limited), 0.5 * net(limited), atol=1e-5, rtol=1e-3)


def test_an_example_without_band_limit_is_returned_as_it_is(clean: Tensor) -> None:
    assert torch.equal(NoiseFill(SAMPLE_RATE)(clean), clean)


@pytest.mark.parametrize("low_rate_hz", [None, 100, 4000])
@pytest.mark.parametrize("length", [1, 100, 801, 3000])
def test_any_length_and_channel_count(low_rate_hz: float | None, length: int) -> None:
    signal = torch.randn(2, 3, length, generator=torch.Generator().manual_seed(0))
    restored = NoiseFill(SAMPLE_RATE, low_rate_hz)(signal)
    assert restored.shape == signal.shape
    assert torch.isfinite(restored).all()


def test_silence_stays_silent() -> None:
    assert NoiseFill(SAMPLE_RATE, 4000)(torch.zeros(1, 1, 5000)).abs().max() < 1e-6
