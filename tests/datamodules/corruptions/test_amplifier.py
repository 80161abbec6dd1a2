"""Hum lies at multiples of the mains, hiss is white above its corner and pink below, and both have the asked level."""

import math

import pytest
import torch
from torch import Tensor

from datamodules.corruptions.amplifier import CORNER_HZ, Amplifier
from datamodules.corruptions.pipeline import Pipeline
from datamodules.draws import rms

RATE_HZ = 8000


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def music(batch: int = 4, channels: int = 2, length: int = 32_000) -> Tensor:
    return 0.1 * torch.randn(batch, channels, length, generator=torch.Generator().manual_seed(9))


@pytest.mark.parametrize("mains_hz", [50, 60])
def test_hum_lies_at_harmonics_of_the_mains(mains_hz: int) -> None:
    hum = Pipeline(f"hum 0 0.1 {mains_hz}")(music(), RATE_HZ, seeded()) - music()
    power = torch.fft.rfft(hum * torch.hann_window(32_000)).abs().square()
    frequency = torch.arange(power.shape[-1]) * RATE_HZ / 32_000
    order = (frequency / mains_hz).round().clamp(1, 16)
    near = (frequency - order * mains_hz).abs() < 0.005 * order * mains_hz + 1
    assert power[..., near].sum() > 0.999 * power.sum()


def test_hum_is_in_phase_in_all_channels_and_differs_between_examples() -> None:
    hum = Pipeline("hum 0 0.1")(music(), RATE_HZ, seeded()) - music()
    assert torch.allclose(hum[:, 0], hum[:, 1], atol=1e-6)
    assert not torch.allclose(hum[0], hum[1], atol=1e-3)


def test_long_hum_keeps_its_frequency() -> None:
    hum = Pipeline("hum 0 0.1")(torch.zeros(1, 1, 60 * 48_000), 48_000, seeded())[0, 0]
    starts = [torch.fft.rfft(hum[start : start + 480_000]).abs()[:1000].argmax() for start in (0, 50 * 48_000)]
    assert abs(int(starts[0]) - int(starts[1])) <= 1


@pytest.mark.parametrize("step", ["hum 0 0.05", "amplifiernoise 0 0.05"])
def test_step_has_the_asked_level(step: str) -> None:
    assert torch.allclose(rms(Pipeline(step)(music(), RATE_HZ, seeded()) - music()), torch.tensor(0.05), rtol=1e-3)


def test_hiss_is_twice_as_dense_at_its_corner_as_far_above() -> None:
    hiss = Pipeline("amplifiernoise 0 0.1")(torch.zeros(64, 1, 32_000), 48_000, seeded())
    density = torch.fft.rfft(hiss).abs().square().mean((0, 1))
    frequency = torch.arange(len(density)) * 48_000 / 32_000

    def around(center_hz: float) -> float:
        return float(density[(frequency > 0.9 * center_hz) & (frequency < 1.1 * center_hz)].mean())

    assert around(CORNER_HZ) / around(20_000) == pytest.approx(2 / 1.05, rel=0.1)
    assert around(CORNER_HZ / 10) / around(20_000) == pytest.approx(11 / 1.05, rel=0.15)


@pytest.mark.parametrize("hiss", [0.0, 0.5, 1.0])
def test_mixture_reaches_the_signal_to_noise_ratio(hiss: float) -> None:
    clean = music()
    noise = Amplifier([50], hiss, 12)(clean, RATE_HZ, seeded()) - clean
    assert torch.allclose(20 * torch.log10(rms(clean) / rms(noise)), torch.tensor(12.0), atol=0.05)


def test_share_of_hiss_is_its_share_of_power() -> None:
    noise = Amplifier([50], 0.25, 0)(music(8), RATE_HZ, seeded()) - music(8)
    low = torch.fft.rfft(noise)
    low[..., math.ceil(850 * 4) :] = 0
    mostly_hum = torch.fft.irfft(low, n=32_000)
    assert (mostly_hum.square().sum() / noise.square().sum()).item() == pytest.approx(0.75 + 0.25 * 0.45, abs=0.08)


def test_no_mains_is_refused() -> None:
    with pytest.raises(ValueError, match="mains_hz is empty"):
        Amplifier([])
