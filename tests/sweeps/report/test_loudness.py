"""Loudness agrees with the Recommendation's calibration, and gains make versions equally loud."""

import math

import numpy as np
import pytest

from sweeps.report.loudness import loudness_lufs, matching_gains_db


def sine(hz: float, rate_hz: int, seconds: float = 2.0, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate_hz)) / rate_hz))[None].astype(np.float32)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100, 48000])
def test_full_scale_sine_of_997_hz_has_minus_3_lufs_at_every_rate(rate_hz: int) -> None:
    assert loudness_lufs(sine(997, rate_hz), rate_hz) == pytest.approx(-3.01, abs=0.05)


def test_two_channels_add_their_power() -> None:
    stereo = np.concatenate([sine(997, 48000)] * 2)
    assert loudness_lufs(stereo, 48000) == pytest.approx(-3.01 + 10 * math.log10(2), abs=0.05)


def test_low_and_high_frequencies_are_weighted() -> None:
    middle = loudness_lufs(sine(997, 48000), 48000)
    assert loudness_lufs(sine(30, 48000), 48000) < middle - 5
    assert loudness_lufs(sine(8000, 48000), 48000) == pytest.approx(middle + 3.3, abs=0.3)


def test_pauses_are_gated_out() -> None:
    loud = sine(997, 48000, 4.0, 0.1)
    with_pause = np.concatenate([loud, np.zeros((1, 4 * 48000), np.float32)], axis=1)
    assert loudness_lufs(with_pause, 48000) == pytest.approx(loudness_lufs(loud, 48000), abs=0.3)


def test_silence_and_the_shortest_signals_are_measured() -> None:
    assert loudness_lufs(np.zeros((1, 48000), np.float32), 48000) == -math.inf
    assert math.isfinite(loudness_lufs(sine(997, 16000, 0.05), 16000))


def test_matched_versions_measure_the_same() -> None:
    versions = {
        "clean": sine(500, 16000, amplitude=0.2),
        "quiet": sine(700, 16000, amplitude=0.05),
        "loud": sine(300, 16000, amplitude=0.7),
    }
    lufs = {name: loudness_lufs(signal, 16000) for name, signal in versions.items()}
    gains = matching_gains_db(lufs, {name: float(np.abs(signal).max()) for name, signal in versions.items()}, "clean")
    matched = [loudness_lufs(signal * 10 ** (gains[name] / 20), 16000) for name, signal in versions.items()]
    assert matched == pytest.approx([lufs["clean"]] * 3, abs=0.05)
    assert gains["clean"] == 0


def test_all_are_lowered_together_where_one_would_clip() -> None:
    gains = matching_gains_db({"clean": -10.0, "peaky": -20.0}, {"clean": 0.5, "peaky": 1.0}, "clean")
    assert gains == pytest.approx({"clean": -10.0, "peaky": 0.0})


def test_silence_is_left_and_near_silence_not_blown_up() -> None:
    gains = matching_gains_db(
        {"clean": -20.0, "silent": -math.inf, "hushed": -65.0}, {"clean": 0.1, "silent": 0.0, "hushed": 0.001}, "clean"
    )
    assert gains == {"clean": 0.0, "silent": 0.0, "hushed": 20.0}
