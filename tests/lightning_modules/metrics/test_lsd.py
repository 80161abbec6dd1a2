"""Log-spectral distances against values known in closed form and the definition in NumPy."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

from lightning_modules.metrics.lsd import (
    HANN_1024,
    HANN_2048,
    TINY_FLOOR,
    LogSpectralDistance,
    lsd,
    lsd_bilat,
    lsd_hf,
    lsd_hf60,
    lsd_kuleshov,
    lsd_lf,
    lsd_mugan,
    power_spectrogram,
)

SAMPLE_RATE = 16000


def noise(seed: int, *shape: int) -> Tensor:
    return 0.1 * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def by_hand(restored: Tensor, clean: Tensor, log_floor: float = 1e-8) -> float:
    """LSD of one channel by the definition, with NumPy alone."""
    frames = []
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    for signal in (restored, clean):
        padded = np.pad(signal.numpy().astype(np.float64), 1024, mode="reflect")
        starts = range(0, len(padded) - 2048 + 1, 512)
        power = np.array([np.abs(np.fft.rfft(padded[start : start + 2048] * window)) ** 2 for start in starts])
        frames.append(np.log10(np.maximum(power, log_floor)))
    return float(np.mean(np.sqrt(np.mean((frames[0] - frames[1]) ** 2, axis=1))))


@pytest.mark.parametrize("metric", [lsd, lsd_bilat, lsd_mugan, lsd_lf(SAMPLE_RATE, 4000), lsd_hf(SAMPLE_RATE, 4000)])
def test_lsd_of_half_amplitude_is_the_log_of_four(metric) -> None:
    clean = noise(0, 2, 2, 8192)
    assert (metric(clean, clean) == 0).all()
    torch.testing.assert_close(metric(clean / 2, clean), torch.full((2,), math.log10(4)), atol=1e-4, rtol=0)


def test_lsd_kuleshov_is_on_the_natural_scale() -> None:
    clean = noise(0, 1, 1, 8192)
    assert lsd_kuleshov(clean / 2, clean).item() == pytest.approx(math.log(4), abs=1e-4)


def test_lsd_kuleshov_takes_the_mean_over_time_inside_the_root_and_is_capped() -> None:
    restored, clean = torch.tensor([[[[1.0, 1.0], [1.0, 1.0]]]]), torch.tensor([[[[1.0, math.e**2], [1.0, 1.0]]]])
    assert lsd_kuleshov.from_powers(restored, clean).item() == pytest.approx((math.sqrt(2) + 0) / 2)
    assert lsd.from_powers(restored, clean).item() == pytest.approx((0 + math.sqrt(2)) / 2 / math.log(10))
    assert lsd_kuleshov.from_powers(1e-30 * restored, 1e9 * clean).item() == 10.0


def test_lsd_of_independent_noise_draws_is_the_constant_of_theory() -> None:
    assert lsd(noise(0, 1, 1, 200_000), noise(1, 1, 1, 200_000)).item() == pytest.approx(0.789, abs=0.01)


def test_lsd_agrees_with_the_definition_in_numpy() -> None:
    restored, clean = noise(0, 1, 1, 10_000), 0.3 * noise(1, 1, 1, 10_000)
    clean[..., 4000:] = 0  # digital silence: the floor takes part
    assert lsd(restored, clean).item() == pytest.approx(by_hand(restored[0, 0], clean[0, 0]), abs=2e-4)


def test_lsd_bands_see_only_their_side_of_the_cutoff() -> None:
    time = torch.arange(16384) / SAMPLE_RATE
    clean = noise(0, 1, 1, 16384)
    high = clean + torch.sin(2 * torch.pi * 6000 * time)
    assert lsd_lf(SAMPLE_RATE, 3000)(high, clean).item() < 0.1
    assert lsd_hf(SAMPLE_RATE, 3000)(high, clean).item() > 0.3


def test_lsd_bands_recombine_to_the_whole() -> None:
    restored, clean = torch.rand(1, 1, 1025, 1), torch.rand(1, 1, 1025, 1)
    low, high = lsd_lf(SAMPLE_RATE, 4000).from_powers(restored, clean), lsd_hf(SAMPLE_RATE, 4000).from_powers(restored, clean)
    whole = lsd.from_powers(restored, clean)
    torch.testing.assert_close((512 * low**2 + 513 * high**2) / 1025, whole**2)


def test_spectrograms_are_float32_under_autocast() -> None:
    signal = noise(0, 1, 1, 4096)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(power_spectrogram(signal, HANN_2048), power_spectrogram(signal, HANN_2048).float())
        value = lsd(signal / 2, signal)
    assert value.item() == pytest.approx(math.log10(4), abs=1e-4)


def test_a_restoration_with_nan_has_infinite_lsd() -> None:
    clean = noise(0, 2, 1, 4096)
    broken = clean.clone()
    broken[1, 0, 7] = torch.nan
    assert lsd(broken, clean).tolist() == [0.0, math.inf]


def decaying_notes(seconds: float = 4.0) -> Tensor:
    """Make notes of ten harmonics, the higher ones weaker and of faster decay, (1, 1, T)."""
    time = torch.arange(round(seconds * SAMPLE_RATE), dtype=torch.float64) / SAMPLE_RATE
    signal = torch.zeros_like(time)
    for start in range(int(2 * seconds)):
        since = (time - start / 2).clamp_min(0)
        for harmonic in range(1, 11):
            phase = 2 * torch.pi * 440 * harmonic * since
            signal += (time >= start / 2) * 0.2 * 0.4**harmonic * torch.exp(-3 * harmonic * since) * torch.sin(phase)
    return signal.float()[None, None]


def test_noise_that_nobody_hears_lowers_the_plain_lsd_and_not_the_one_of_60_db() -> None:
    clean = decaying_notes()
    clean = clean + 5e-4 * noise(0, *clean.shape)  # of the room, at -86 dBFS
    spectrum = torch.fft.rfft(clean)
    spectrum[..., 2000 * clean.shape[-1] // SAMPLE_RATE :] = 0
    low = torch.fft.irfft(spectrum, n=clean.shape[-1])
    noisy = low + 1e-3 * noise(1, *clean.shape)  # -80 dBFS
    deep = lsd_hf60(SAMPLE_RATE, 2000)
    assert lsd(low, clean) > 1.5 * lsd(noisy, clean)
    assert deep(noisy, clean).item() == pytest.approx(deep(low, clean).item(), rel=0.02)
    half = low + (clean - low) / 2
    assert deep(half, clean) < 0.8 * deep(low, clean)


def test_distance_of_60_db_agrees_with_the_definition_in_numpy() -> None:
    restored, clean = torch.rand(1, 1, 1025, 7), torch.rand(1, 1, 1025, 7) ** 20
    floor = clean.numpy()[0, 0].max(axis=0) * 1e-6
    logs = [np.log10(np.maximum(power.numpy()[0, 0], floor))[256:] for power in (restored, clean)]
    expected = np.mean(np.sqrt(np.mean((logs[0] - logs[1]) ** 2, axis=0)))
    assert lsd_hf60(SAMPLE_RATE, 2000).from_powers(restored, clean).item() == pytest.approx(expected, rel=1e-4)


def test_protocol_of_bilat_is_of_files_of_16_bits(tmp_path: Path) -> None:
    clean = noise(0, 1, 1, 48000).cumsum(dim=-1) / 100
    clean = clean - clean.mean()
    spectrum = torch.fft.rfft(clean)
    spectrum[..., 6000:] = 0
    low = torch.fft.irfft(spectrum, n=48000)
    pair = []
    for name, signal in (("low", low), ("clean", clean)):
        soundfile.write(tmp_path / f"{name}.wav", signal[0, 0].numpy(), SAMPLE_RATE, subtype="PCM_16")
        pair.append(torch.from_numpy(soundfile.read(tmp_path / f"{name}.wav", dtype="float32")[0])[None, None])
    plain = LogSpectralDistance(framing=HANN_1024, floor=TINY_FLOOR)
    assert lsd_bilat(low, clean).item() == pytest.approx(plain(*pair).item(), rel=5e-3)
    assert plain(low, clean) > 1.3 * lsd_bilat(low, clean)
