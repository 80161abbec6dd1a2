"""Mel distances against the definition in NumPy and SciPy."""

import math

import numpy as np
import pytest
import scipy.fft
import torch
from torch import Tensor

from lightning_modules.metrics.lsd import HANN_2048, power_spectrogram
from lightning_modules.metrics.mel import BANDS, mcd_db, mel_bands, mel_hf, mel_middles_hz

RATE_HZ = 16000


def noise(seed: int, samples: int = 16000) -> Tensor:
    return 0.1 * torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(seed))


def mel_powers(signal: Tensor, floor: np.ndarray) -> np.ndarray:
    """Return (80, frames) by the definition of triangles on the mel scale."""
    power = np.maximum(power_spectrogram(signal, HANN_2048)[0, 0].double().numpy(), floor)
    top = 2595 * np.log10(1 + RATE_HZ / 2 / 700)
    edges = 700 * (10 ** (np.arange(82) * top / 81 / 2595) - 1)
    frequencies = np.arange(1025) * RATE_HZ / 2048
    rows = []
    for low, middle, high in zip(edges, edges[1:], edges[2:], strict=False):
        row = np.interp(frequencies, [low, middle, high], [0, 1, 0], left=0, right=0)
        rows.append(row / row.sum() @ power)
    return np.array(rows)


@pytest.fixture
def logs() -> tuple[Tensor, Tensor, np.ndarray]:
    """Return a pair, and log10 of the ratio of its mel powers."""
    clean = noise(0).cumsum(dim=-1) / 30
    restored = clean + noise(1) / 10
    floor = power_spectrogram(clean, HANN_2048)[0, 0].double().numpy().max(axis=0) * 1e-6
    return restored, clean, np.log10(mel_powers(restored, floor) / mel_powers(clean, floor))


def test_log_mel_distance_is_that_of_the_definition(logs: tuple[Tensor, Tensor, np.ndarray]) -> None:
    restored, clean, ratio = logs
    first = np.argmax(mel_middles_hz(RATE_HZ).numpy() >= 2000)
    expected = np.mean(np.sqrt(np.mean(ratio[first:] ** 2, axis=0)))
    assert mel_hf(RATE_HZ, 2000)(restored, clean).item() == pytest.approx(expected, rel=1e-3)


def test_mel_cepstral_distance_is_that_of_the_definition(logs: tuple[Tensor, Tensor, np.ndarray]) -> None:
    restored, clean, ratio = logs
    cepstra = scipy.fft.dct(np.log(10) / 2 * ratio, type=2, axis=0)[1:25] / BANDS
    expected = np.mean(10 / np.log(10) * np.sqrt(2 * np.sum(cepstra**2, axis=0)))
    assert mcd_db(RATE_HZ, 2000)(restored, clean).item() == pytest.approx(expected, rel=1e-3)


def test_mel_cepstral_distance_of_a_ripple_is_its_rms_and_a_gain_costs_nothing() -> None:
    clean = torch.ones(1, 1, 1025, 3)
    band = np.interp(np.arange(1025) * RATE_HZ / 2048, mel_middles_hz(RATE_HZ).numpy(), np.arange(BANDS) + 0.5)
    ripple_db = 4 * np.cos(2 * np.pi * band / BANDS)  # of the second coefficient alone
    restored = torch.from_numpy(10 ** (ripple_db / 10)).float()[:, None].expand(1, 1, 1025, 3)
    assert mcd_db(RATE_HZ, 2000).from_powers(restored, clean).item() == pytest.approx(4 / math.sqrt(2), rel=0.05)
    assert mcd_db(RATE_HZ, 2000).from_powers(5 * clean, clean).item() == pytest.approx(0, abs=1e-4)


def test_log_mel_distance_sees_its_side_of_the_cutoff_only() -> None:
    clean = noise(0)
    time = torch.arange(16000) / RATE_HZ
    low = clean + torch.sin(2 * torch.pi * 1000 * time)
    high = clean + torch.sin(2 * torch.pi * 5000 * time)
    assert mel_hf(RATE_HZ, 3000)(low, clean) < 0.02
    assert mel_hf(RATE_HZ, 3000)(high, clean) > 0.2
    assert mel_hf(RATE_HZ, 3000)(clean / 2, clean).item() == pytest.approx(math.log10(4), rel=1e-3)


@pytest.mark.parametrize("sample_rate", [4000, 48000, 192000])
def test_every_band_weighs_one_at_every_rate(sample_rate: int) -> None:
    bands = mel_bands(sample_rate)
    assert bands.isfinite().all()
    torch.testing.assert_close(bands.sum(dim=1), torch.ones(BANDS))
