"""Oracles of super-resolution: what is below the edge is the truth, what is above holds no more of it than is said."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.lsd import lsd_hf
from lightning_modules.metrics.snr import snr_db
from models.classical.band_oracles import BrickWallOracle, EnvelopeOracle, MagnitudeOracle

SAMPLE_RATE, LOW_RATE = 16000, 4000
ORACLES = (BrickWallOracle, EnvelopeOracle, MagnitudeOracle)


@pytest.fixture(scope="module")
def clean() -> Tensor:
    """Return noise that falls by 6 dB per octave and swells, (1, 1, T)."""
    spectrum = torch.fft.rfft(torch.randn(32000, generator=torch.Generator().manual_seed(7)))
    frequency = torch.arange(len(spectrum)) / 2
    swell = 1.05 + torch.sin(2 * math.pi * torch.arange(32000) / 11000)
    return (0.1 * swell * torch.fft.irfft(spectrum / (1 + frequency / 300), 32000))[None, None]


@pytest.fixture(scope="module")
def limited(clean: Tensor) -> Tensor:
    spectrum = torch.fft.rfft(clean)
    spectrum[..., 4000:] = 0
    return torch.fft.irfft(spectrum, clean.shape[-1])


def band(signal: Tensor, low_hz: float, high_hz: float) -> Tensor:
    spectrum = torch.fft.rfft(signal[0, 0])
    frequency = torch.arange(len(spectrum)) * SAMPLE_RATE / signal.shape[-1]
    return spectrum[(frequency >= low_hz) & (frequency < high_hz)]


def energy(spectrum: Tensor) -> float:
    return float(spectrum.abs().square().sum())


def test_snr_of_the_brick_wall_is_what_the_band_holds(clean: Tensor, limited: Tensor) -> None:
    restored = BrickWallOracle(SAMPLE_RATE, LOW_RATE).restore_with_clean(limited, clean)
    spectrum = np.abs(np.fft.rfft(clean[0, 0].double().numpy())) ** 2
    weight = np.r_[1, np.full(len(spectrum) - 2, 2), 1]
    above = np.arange(len(spectrum)) / 2 >= LOW_RATE / 2
    expected = 10 * np.log10((weight * spectrum).sum() / (weight * spectrum)[above].sum())
    assert snr_db(restored, clean).item() == pytest.approx(expected, abs=0.05)
    assert energy(band(restored, 2000, 8001)) < 1e-9 * energy(band(clean, 2000, 8001))


@pytest.mark.parametrize("oracle", ORACLES)
def test_the_lower_band_is_the_truth(oracle: type[BrickWallOracle], clean: Tensor, limited: Tensor) -> None:
    restored = oracle(SAMPLE_RATE, LOW_RATE).restore_with_clean(limited, clean)
    error = band(restored, 0, 1900) - band(clean, 0, 1900)
    assert energy(error) < 1e-4 * energy(band(clean, 0, 1900))


@pytest.mark.parametrize("oracle", ORACLES[1:])
def test_the_upper_band_has_the_true_level_and_not_the_true_phase(
    oracle: type[BrickWallOracle], clean: Tensor, limited: Tensor
) -> None:
    restored = oracle(SAMPLE_RATE, LOW_RATE).restore_with_clean(limited, clean)
    for low_hz, high_hz in [(2200, 4000), (4000, 6000), (6000, 8000)]:
        one, other = band(restored, low_hz, high_hz), band(clean, low_hz, high_hz)
        assert 0.4 < energy(one) / energy(other) < 1.6  # overlapping frames of foreign phases partly cancel
        assert abs(float((one * other.conj()).sum().abs())) < 0.1 * math.sqrt(energy(one) * energy(other))


def test_the_more_is_told_the_smaller_the_log_spectral_distance(clean: Tensor, limited: Tensor) -> None:
    found = [oracle(SAMPLE_RATE, LOW_RATE).restore_with_clean(limited, clean) for oracle in ORACLES]
    empty, envelope, magnitude = (lsd_hf(SAMPLE_RATE, LOW_RATE / 2)(each, clean).item() for each in found)
    assert empty > envelope + 1 > magnitude + 1
    assert snr_db(found[0], clean).item() > max(snr_db(each, clean).item() for each in found[1:])


def test_edge_is_found_in_the_corrupted_signal_and_without_one_it_is_returned(clean: Tensor, limited: Tensor) -> None:
    told, found = (BrickWallOracle(SAMPLE_RATE, rate).restore_with_clean(limited, clean) for rate in (LOW_RATE, None))
    assert torch.equal(told, found)
    assert torch.equal(BrickWallOracle(SAMPLE_RATE).restore_with_clean(clean, 0.5 * clean), clean)
