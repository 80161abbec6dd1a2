"""The Wiener filters on synthetic notes in noise of known color and level."""

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.snr import snr_db
from models.classical.wiener import Wiener, WienerOracle

SAMPLE_RATE = 16000


def notes(seconds: float = 4.0) -> Tensor:
    """Decaying harmonic notes, one every half second, (1, 1, T)."""
    time = torch.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    signal = torch.zeros_like(time)
    for start, pitch_hz in enumerate([220.0, 330.0, 262.0, 392.0, 294.0, 440.0, 247.0, 349.0] * 4):
        since = time - 0.5 * start
        for partial in range(1, 9):
            tone = torch.sin(2 * torch.pi * partial * pitch_hz * since) * torch.exp(-since.clamp(min=0) * (1 + partial)) / partial
            signal += torch.where(since >= 0, tone, 0.0)
    return 0.1 * signal[None, None]


def add_noise(clean: Tensor, input_snr_db: float, exponent: float = 0.0) -> Tensor:
    """Add noise of power f^-exponent (above 20 Hz)."""
    spectrum = torch.fft.rfft(torch.randn(clean.shape, generator=torch.Generator().manual_seed(1)))
    frequency = (torch.arange(spectrum.shape[-1]) * SAMPLE_RATE / clean.shape[-1]).clamp(min=20.0)
    noise = torch.fft.irfft(spectrum * frequency ** (-exponent / 2), clean.shape[-1])
    return clean + noise * (clean.norm() / noise.norm()) * 10 ** (-input_snr_db / 20)


def test_analysis_and_synthesis_reconstruct_exactly() -> None:
    signal = torch.randn(2, 3, 5003, generator=torch.Generator().manual_seed(0))
    net = Wiener(SAMPLE_RATE)
    torch.testing.assert_close(net.synthesize(net.analyze(signal), signal), signal, atol=1e-5, rtol=0)
    assert net.window.numel() == 800 and net.hop_samples == 400


def test_gains_follow_the_decision_directed_recursion() -> None:
    draw, alpha, floor = np.random.default_rng(0), 0.9, 10**-2.0
    power, noise = draw.exponential(2.0, (20, 7)), draw.uniform(0.5, 2, 7)
    power[5:9] *= 0.01  # down to the floor
    prior, expected = np.maximum(power[0] / noise - 1, 0), []
    for frame in range(20):
        prior = np.maximum(prior, floor)
        expected.append(prior / (1 + prior))
        following = np.maximum(power[min(frame + 1, 19)] / noise - 1, 0)
        prior = alpha * expected[-1] ** 2 * power[frame] / noise + (1 - alpha) * following
    net = Wiener(SAMPLE_RATE, alpha=alpha, prior_snr_floor_db=-20.0)
    gains = net.gains(torch.from_numpy(power)[None], torch.from_numpy(noise)[None, None])
    np.testing.assert_allclose(gains[0].numpy(), np.stack(expected), rtol=1e-6)
    assert gains.min().item() == pytest.approx(floor / (1 + floor))


@pytest.mark.parametrize(("exponent", "gain_db"), [(0.0, 8.0), (1.0, 6.0), (2.0, 5.0)])
def test_blind_filter_improves_five_decibels_of_colored_noise(exponent: float, gain_db: float) -> None:
    clean = notes()
    assert snr_db(Wiener(SAMPLE_RATE)(add_noise(clean, 5.0, exponent)), clean).item() > 5.0 + gain_db


@pytest.mark.slow
@pytest.mark.parametrize(("input_snr_db", "expected_db"), [(0.0, 8.0), (5.0, 11.5), (10.0, 15.0)])
def test_both_filters_gain_what_the_method_can_in_white_noise(input_snr_db: float, expected_db: float) -> None:
    clean = notes(10.0)
    noisy = add_noise(clean, input_snr_db)
    known = snr_db(WienerOracle(SAMPLE_RATE).restore_with_clean(noisy, clean), clean).item()
    blind = snr_db(Wiener(SAMPLE_RATE)(noisy), clean).item()
    assert known > expected_db
    assert abs(blind - known) < 1.5


def test_a_clean_signal_hardly_changes() -> None:
    clean = notes()
    assert snr_db(Wiener(SAMPLE_RATE)(clean), clean).item() > 30
    torch.testing.assert_close(WienerOracle(SAMPLE_RATE).restore_with_clean(clean, clean), clean, atol=1e-5, rtol=0)


def test_noise_alone_is_attenuated() -> None:
    noise = 0.1 * torch.randn(1, 1, 32000, generator=torch.Generator().manual_seed(0))
    assert Wiener(SAMPLE_RATE)(noise).norm() < 0.15 * noise.norm()


def test_silence_stays_silent() -> None:
    silence = torch.zeros(1, 2, 16000)
    assert torch.equal(Wiener(SAMPLE_RATE)(silence), silence)
    assert torch.equal(WienerOracle(SAMPLE_RATE).restore_with_clean(silence, silence), silence)


def test_digital_silence_around_a_noisy_signal_does_not_hide_the_noise() -> None:
    clean = torch.nn.functional.pad(notes(), (16000, 16000))
    noisy = torch.nn.functional.pad(add_noise(notes(), 5.0), (16000, 16000))
    assert snr_db(Wiener(SAMPLE_RATE)(noisy), clean).item() > 12


@pytest.mark.parametrize("length", [1, 100, 801, 4801])
def test_any_length_and_channel_count(length: int) -> None:
    signal = torch.randn(2, 3, length, generator=torch.Generator().manual_seed(0))
    before = signal.clone()
    for restored in (Wiener(SAMPLE_RATE)(signal), WienerOracle(SAMPLE_RATE).restore_with_clean(signal, 0.5 * signal)):
        assert restored.shape == signal.shape
        assert torch.isfinite(restored).all()
    assert torch.equal(signal, before)


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100, 48000])
def test_every_rate_has_frames_of_fifty_milliseconds(sample_rate: int) -> None:
    net = Wiener(sample_rate)
    assert net.window.numel() / sample_rate == pytest.approx(0.05, rel=0.01)
    assert torch.isfinite(net(torch.randn(1, 1, sample_rate, generator=torch.Generator().manual_seed(0)))).all()


def test_a_batch_equals_its_examples_and_runs_agree() -> None:
    net = Wiener(SAMPLE_RATE)
    noisy = torch.cat([add_noise(notes(), 5.0), 0.3 * add_noise(notes(), 0.0, 1.0)])
    restored = net(noisy)
    assert torch.equal(restored, net(noisy))
    torch.testing.assert_close(restored, torch.cat([net(example[None]) for example in noisy]), atol=1e-5, rtol=1e-4)


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="alpha must be from 0 to below 1, got 1"):
        Wiener(SAMPLE_RATE, alpha=1.0)
    with pytest.raises(ValueError, match="sample_rate must be at least 1280 Hz, got 100"):
        Wiener(100)
