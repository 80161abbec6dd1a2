import numpy as np
import pytest
import soundfile

from datamodules.audio import decoding
from datamodules.audio.decoding import decode_blocks, mix
from datamodules.audio.io import AudioFileError, read, resample


def decoded(path, sample_rate, channels):
    return np.concatenate(list(decode_blocks(path, sample_rate, channels)), axis=1)


def test_mixing_averages_or_repeats():
    stereo = np.array([[1.0, 2.0], [3.0, 6.0]])
    np.testing.assert_array_equal(mix(stereo, 2), stereo)
    np.testing.assert_array_equal(mix(stereo, 1), [[2.0, 4.0]])
    np.testing.assert_array_equal(mix(stereo[:1], 2), [[1.0, 2.0], [1.0, 2.0]])
    np.testing.assert_array_equal(mix(stereo, 3), [[2.0, 4.0]] * 3)


@pytest.mark.parametrize("sample_rate", [8000, 11025, 44100])
@pytest.mark.parametrize("block_samples", [1000, 4000, 1 << 19])
def test_blocks_join_without_a_seam(tmp_path, write_noise, monkeypatch, sample_rate, block_samples):
    monkeypatch.setattr(decoding, "BLOCK_SAMPLES", block_samples)
    path = write_noise(tmp_path / "a.wav", seconds=1.5, sample_rate=8000, channels=2)
    expected = resample(read(path), 8000, sample_rate)
    np.testing.assert_allclose(decoded(path, sample_rate, 2), expected, atol=1e-6)


def test_a_sine_keeps_its_level_and_its_time(tmp_path):
    sine = 0.5 * np.sin(2 * np.pi * 440 * np.arange(44100) / 44100)
    soundfile.write(tmp_path / "sine.wav", sine, 44100, subtype="FLOAT")
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(16000) / 16000)
    np.testing.assert_allclose(decoded(tmp_path / "sine.wav", 16000, 1)[0, 1000:-1000], expected[1000:-1000], atol=1e-4)


@pytest.mark.parametrize(("frames", "expected"), [(1, 1), (7, 3), (100, 37), (44101, 16001)])
def test_length_is_rounded_up(tmp_path, frames, expected):
    soundfile.write(tmp_path / "a.wav", np.zeros(frames), 44100)
    assert decoded(tmp_path / "a.wav", 16000, 1).shape == (1, expected)


def test_broken_files_raise_their_own_error(tmp_path, broken_files):
    for name in broken_files(tmp_path):
        with pytest.raises(AudioFileError, match=name):
            decoded(tmp_path / name, 8000, 1)


def test_nan_in_the_middle_is_found(tmp_path):
    samples = np.zeros(1000)
    samples[500] = np.nan
    soundfile.write(tmp_path / "nan.wav", samples, 8000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="NaN"):
        decoded(tmp_path / "nan.wav", 8000, 1)
