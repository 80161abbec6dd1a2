"""Signal-to-noise ratios against values known in closed form and torchmetrics."""

import math

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from torchmetrics.functional.audio import scale_invariant_signal_distortion_ratio

from lightning_modules.metrics.snr import si_sdr_db, snr_db, snr_lf_db


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def test_snr_of_half_amplitude_is_four_in_power() -> None:
    clean = noise(0, 3, 2, 500)
    torch.testing.assert_close(snr_db(clean / 2, clean), torch.full((3,), 10 * math.log10(4)))


def test_snr_of_a_mix_at_ten_decibels_is_ten() -> None:
    clean, error = noise(0, 1, 1, 1000), noise(1, 1, 1, 1000)
    error = error * (clean.std() / error.std()) / math.sqrt(10)
    assert snr_db(clean + error, clean).item() == pytest.approx(10.0, abs=1e-4)


@pytest.mark.parametrize("metric", [snr_db, si_sdr_db])
def test_limits_are_finite(metric) -> None:
    sound, silence = noise(0, 1, 1, 300), torch.zeros(1, 1, 300)
    assert metric(sound, sound).item() == 100.0
    assert metric(silence, silence).item() == 100.0
    assert metric(sound, silence).item() == -100.0
    assert metric(torch.full_like(sound, torch.nan), sound).item() == -100.0
    assert metric(torch.full_like(sound, torch.inf), sound).item() == -100.0


def test_silence_as_an_estimate_has_zero_snr_and_the_worst_si_sdr() -> None:
    clean = noise(0, 1, 1, 300)
    assert snr_db(torch.zeros_like(clean), clean).item() == pytest.approx(0.0, abs=1e-5)
    assert si_sdr_db(torch.zeros_like(clean), clean).item() == -100.0


def test_si_sdr_ignores_the_gain() -> None:
    clean = noise(0, 2, 1, 4000)
    restored = clean + noise(1, 2, 1, 4000) / 3
    torch.testing.assert_close(si_sdr_db(0.01 * restored, clean), si_sdr_db(restored, clean), atol=1e-4, rtol=0)
    assert (snr_db(0.01 * restored, clean) < 0.2).all()


def test_si_sdr_agrees_with_torchmetrics() -> None:
    clean = noise(0, 4, 1, 4000)
    restored = clean + noise(1, 4, 1, 4000) / 2
    expected = scale_invariant_signal_distortion_ratio(restored, clean, zero_mean=True)[:, 0]
    torch.testing.assert_close(si_sdr_db(restored, clean), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("metric", [snr_db, si_sdr_db])
def test_offsets_count_neither_as_signal_nor_as_error(metric) -> None:
    clean, error = noise(0, 1, 2, 4000), noise(1, 1, 2, 4000) / 4
    offsets = torch.tensor([[[0.5], [-0.3]]])
    expected = metric(clean + error, clean)
    torch.testing.assert_close(metric(0.3 * (clean + error) + offsets, 0.3 * clean + offsets), expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(metric(clean + error - offsets, clean), expected, atol=1e-3, rtol=0)


@pytest.mark.parametrize("metric", [snr_db, si_sdr_db])
def test_a_constant_is_silence(metric) -> None:
    sound, constant = noise(0, 1, 1, 30_001), torch.full((1, 1, 30_001), 0.3)
    assert metric(sound, constant).item() == -100.0
    assert metric(constant, constant - 0.2).item() == 100.0
    assert metric(constant, sound).item() == metric(torch.zeros_like(sound), sound).item()


def tone(frequency_hz: float, samples: int = 8000) -> Tensor:
    return torch.sin(2 * torch.pi * frequency_hz * torch.arange(samples, dtype=torch.float64) / 8000)[None, None]


def test_snr_below_the_cutoff_does_not_see_what_is_above() -> None:
    clean = tone(500) + tone(3000)
    assert snr_lf_db(tone(500), clean, 8000, 2000).item() == 100.0
    assert snr_lf_db(0.9 * tone(500) + 5 * tone(2500), clean, 8000, 2000).item() == pytest.approx(20.0, abs=1e-3)
    assert snr_lf_db(tone(3000), clean, 8000, 2000).item() == pytest.approx(0.0, abs=1e-3)


@pytest.mark.parametrize("samples", [7999, 8000])
def test_snr_below_the_cutoff_is_that_of_filtered_signals(samples: int) -> None:
    clean, restored = noise(0, 1, 2, samples), noise(0, 1, 2, samples) + noise(1, 1, 2, samples) / 3
    sos = scipy.signal.firwin(2001, 1000, fs=8000)
    low = [scipy.signal.fftconvolve(signal.numpy(), sos[None, None], axes=-1) for signal in (clean, restored)]
    expected = 10 * np.log10(np.sum(low[0] ** 2) / np.sum((low[0] - low[1]) ** 2))
    assert snr_lf_db(restored, clean, 8000, 1000).item() == pytest.approx(expected, abs=0.05)
