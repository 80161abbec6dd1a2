"""Codecs return the same length, place and level at every rate, and more bits return more of the signal."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from datamodules.corruptions.codec import MP3_KBPS, Codec, through_mp3, through_opus, through_vorbis

RATE_HZ = 16000
WAYS: dict[str, tuple[Callable[[np.ndarray, int, float], np.ndarray], tuple[float, ...]]] = {
    "mp3": (through_mp3, (16, 32, 96)),
    "vorbis": (through_vorbis, (0.0, 0.5, 1.0)),
    "opus": (through_opus, (12, 48, 200)),
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def chirp(sample_rate: int, seconds: float = 0.5) -> np.ndarray:
    """A signal in which every delay shows, with all its energy where no codec cuts: (1, T), 200 to 1500 Hz."""
    time_s = np.arange(round(seconds * sample_rate)) / sample_rate
    return 0.4 * np.sin(2 * np.pi * (200 * time_s + 1300 / (2 * seconds) * time_s**2)).astype(np.float32)[None]


def snr_db(clean: np.ndarray, decoded: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(clean**2) / np.sum((clean - decoded) ** 2)))


def delay_samples(clean: np.ndarray, decoded: np.ndarray) -> float:
    """Fit a parabola through the three points around the peak of the cross-correlation."""
    size = 2 * clean.shape[1]
    cross = np.fft.irfft(np.fft.rfft(decoded[0], size) * np.fft.rfft(clean[0], size).conj())
    peak = int(np.argmax(cross))
    before, top, after = cross[peak - 1], cross[peak], cross[(peak + 1) % size]
    return (peak + size // 2) % size - size // 2 + 0.5 * (before - after) / (before - 2 * top + after)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050, 44100])
@pytest.mark.parametrize("codec", WAYS)
def test_place_level_and_length_are_kept(codec: str, sample_rate: int) -> None:
    way, settings = WAYS[codec]
    clean = chirp(sample_rate)
    for setting in settings:
        decoded = way(clean, sample_rate, setting)
        assert decoded.shape == clean.shape
        assert delay_samples(clean, decoded) == pytest.approx(0, abs=0.1)
        assert float(np.sum(clean * decoded) / np.sum(clean**2)) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("codec", WAYS)
def test_more_bits_keep_more_of_the_signal(codec: str) -> None:
    way, settings = WAYS[codec]
    noise = torch.randn(1, 16000, generator=seeded()).mul(0.2).numpy()
    clean = np.apply_along_axis(np.convolve, 1, noise, np.hanning(16) / 8, "same").astype(np.float32)
    ratios = [snr_db(clean, way(clean, RATE_HZ, setting)) for setting in settings]
    assert ratios == sorted(ratios) and ratios[-1] > 15


@pytest.mark.parametrize("sample_rate", sorted(rate for rates in MP3_KBPS for rate in rates))
def test_mp3_works_at_each_of_its_rates(sample_rate: int) -> None:
    clean = chirp(sample_rate, 0.25)
    assert all(snr_db(clean, through_mp3(clean, sample_rate, kbps)) > 10 for kbps in (24, 64, 320))


def test_mp3_refuses_other_rates_and_many_channels() -> None:
    with pytest.raises(ValueError, match="data.sample_rate=96000 is not possible in MP3: use one of 8000, .*, 48000"):
        through_mp3(chirp(96000), 96000, 64)
    with pytest.raises(ValueError, match="one or two channels, not 3"):
        through_mp3(chirp(RATE_HZ).repeat(3, axis=0), RATE_HZ, 64)


def test_refusal_reaches_the_caller_through_the_threads() -> None:
    with pytest.raises(ValueError, match="data.sample_rate=9600"):
        Codec(["mp3"])(torch.zeros(2, 1, 960), 9600, seeded())


@pytest.mark.parametrize("length", [1, 101, 2049])
def test_any_length_comes_back_finite_and_the_input_unmodified(length: int) -> None:
    clean = 0.3 * torch.randn(9, 2, length, generator=seeded())
    clean[4] = 0
    before = clean.clone()
    decoded = Codec()(clean, RATE_HZ, seeded())
    assert decoded.shape == clean.shape and decoded.dtype == clean.dtype and decoded.isfinite().all()
    assert decoded[4].abs().max() < 1e-6
    assert torch.equal(clean, before)


def test_same_seed_same_result_and_examples_differ() -> None:
    clean = (0.3 * torch.randn(1, 1, 4000, generator=seeded())).repeat(8, 1, 1)
    decoded = Codec()(clean, RATE_HZ, seeded(2))
    assert torch.equal(decoded, Codec()(clean, RATE_HZ, seeded(2)))
    assert len({round(float(example.square().sum()), 5) for example in decoded}) > 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codecs": ["aac"]}, "codecs=.*mp3, vorbis, opus"),
        ({"mp3_kbps": [4, 64]}, "mp3_kbps=.*8 to 320"),
        ({"vorbis_quality": 3}, "vorbis_quality=3"),
        ({"opus_kbps": [2, 64]}, "opus_kbps=.*6 to 256"),
    ],
)
def test_impossible_settings_are_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Codec(**settings)


@pytest.mark.parametrize(
    ("codec", "sample_rate", "channels", "message"),
    [
        ("mp3", 96_000, 1, r"data\.sample_rate=96000 is not possible in MP3"),
        ("mp3", 16_000, 3, r"one or two channels, not 3: set data\.channels or leave mp3 out"),
        ("vorbis", 200_001, 1, r"data\.sample_rate=200001 is not possible in Vorbis: use at most 200000"),
        ("opus", 16_000, 256, "opus holds at most 255 channels, not 256"),
    ],
)
def test_what_a_codec_cannot_hold_is_refused_before_any_audio(codec: str, sample_rate: int, channels: int, message: str) -> None:
    for check in (Codec([codec]).check, lambda *kind: Codec([codec])(torch.zeros(1, kind[1], 100), kind[0], seeded())):
        with pytest.raises(ValueError, match=message):
            check(sample_rate, channels)
    Codec().check(16_000, 2)


def test_vorbis_works_at_its_highest_rate() -> None:
    assert through_vorbis(chirp(200_000), 200_000, 0.3).shape == chirp(200_000).shape
