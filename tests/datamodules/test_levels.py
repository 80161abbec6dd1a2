"""Levels are of the signal without its mean, and a refusal of silence names file, cause and key."""

import numpy as np
import pytest
import soundfile

from datamodules.levels import has_sound, is_silent, level_db, why_silent
from datamodules.sources import Recording
from datamodules.streamed_recordings import StreamedRecordings

RATE_HZ = 8000
SINE = 0.2 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE_HZ) / RATE_HZ)


@pytest.fixture
def opened(tmp_path):
    def write(audio, channels=1):
        soundfile.write(tmp_path / "a.wav", audio, RATE_HZ, subtype="FLOAT")
        return StreamedRecordings([Recording(str(tmp_path / "a.wav"), 2.0, "train", "a")], RATE_HZ, channels)

    return write


def test_level_of_a_sine_with_any_offset_is_that_of_the_sine():
    expected = 20 * np.log10(0.2 / np.sqrt(2))
    for offset in (0.0, 0.5, -3.0):
        assert level_db(SINE[None] + offset) == pytest.approx(expected, abs=1e-3)
    assert level_db(np.stack([SINE, SINE]) + np.array([[0.5], [-0.5]])) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("constant", [0.0, 0.3, 0.5, -1.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_constant_is_silence_at_any_threshold(constant, dtype):
    assert is_silent(np.full((2, 30_001), constant, dtype), -1000.0)


def test_silence_threshold_is_a_level_in_dbfs():
    audio = np.array([[0.01, -0.01] * 5], np.float32)
    assert is_silent(audio, -39.9)
    assert not is_silent(audio, -40.1)
    assert not is_silent(0 * audio, None)


def test_sound_is_found_wherever_it_is(opened):
    late = np.concatenate([np.full(RATE_HZ, 0.5), 0.5 + SINE[:100], np.full(1000, 0.5)])
    assert has_sound(opened(late), 0, -60.0, 256)
    assert not has_sound(opened(late[:RATE_HZ]), 0, -60.0, 256)


def test_the_click_that_resampling_makes_of_a_step_is_no_sound(opened, tmp_path):
    soundfile.write(tmp_path / "b.wav", np.full(44_100, 0.5), 44_100)
    constant = StreamedRecordings([Recording(str(tmp_path / "b.wav"), 1.0, "train", "b")], RATE_HZ, 1)
    assert not is_silent(constant.read(0, 0, 1000), -60.0)
    assert not has_sound(constant, 0, -60.0, 1000)


def test_channels_that_cancel_are_the_cause(opened):
    recordings = opened(np.stack([SINE + 0.1, -SINE], axis=1))
    assert not has_sound(recordings, 0, -60.0, 1000)
    assert why_silent(recordings, 0, -60.0).endswith(
        "a.wav: its 2 channels cancel each other in their mean, which data.channels=1 asks for; set data.channels=2"
    )
    assert has_sound(opened(np.stack([SINE, -SINE], axis=1), channels=2), 0, -60.0, 1000)


def test_quiet_sound_is_the_cause(opened):
    recordings = opened(0.002 * SINE)
    assert not has_sound(recordings, 0, -60.0, 1000)
    assert why_silent(recordings, 0, -60.0).endswith(
        "a.wav: its loudest second has -71.0 dBFS, and data.silence_db=-60.0 leaves out what is quieter; "
        "lower data.silence_db, or null uses all"
    )
    assert has_sound(recordings, 0, -80.0, 1000)
