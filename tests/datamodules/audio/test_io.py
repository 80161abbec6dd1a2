"""Audio files: what is read is what was written, and every broken file is named with its reason."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio import opening
from datamodules.audio.io import AudioFileError, probe, read, resample, write
from datamodules.audio.suffixes import AUDIO_SUFFIXES, FORMATS_OF_SUFFIX


def noise(channels: int = 2, samples: int = 3001, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (channels, samples)).astype(np.float32)


def sine(frequency_hz: float, rate_hz: int, samples: int) -> np.ndarray:
    return np.sin(2 * np.pi * frequency_hz * np.arange(samples) / rate_hz)[None]


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_float_file_comes_back_exactly(tmp_path: Path, channels: int) -> None:
    audio = noise(channels)
    write(tmp_path / "new folder" / "a = b, ü.wav", audio, 44100, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "new folder" / "a = b, ü.wav"), audio)


def test_probe_tells_the_header(tmp_path: Path) -> None:
    write(tmp_path / "a.flac", noise(2, 4000), 48000, subtype="PCM_24")
    info = probe(tmp_path / "a.flac")
    assert (info.sample_rate_hz, info.channels, info.frames) == (48000, 2, 4000)
    assert (info.format, info.subtype, info.path) == ("FLAC", "PCM_24", tmp_path / "a.flac")


def test_part_equals_slice_of_whole(tmp_path: Path) -> None:
    write(tmp_path / "a.flac", noise(), 16000)
    np.testing.assert_array_equal(read(tmp_path / "a.flac", 1000, 500), read(tmp_path / "a.flac")[:, 1000:1500])


def test_part_outside_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", noise(1, 100), 16000)
    with pytest.raises(AudioFileError, match="has 100 samples, asked for 50 from sample 60"):
        read(tmp_path / "a.wav", 60, 50)


def test_integer_samples_are_rounded_and_clipped(tmp_path: Path) -> None:
    write(tmp_path / "a.wav", np.array([[2.0, -2.0, 1.6 / 32768, -1.6 / 32768, 0.4 / 32768]]), 8000)
    stored, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert stored.tolist() == [32767, -32768, 2, -2, 0]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff"])
def test_sixteen_bit_samples_survive_a_round_trip(tmp_path: Path, name: str) -> None:
    stored = np.random.default_rng(1).integers(-32768, 32768, 2000).astype(np.int16)
    write(tmp_path / name, (stored / 32768)[None], 8000)
    assert soundfile.read(tmp_path / name, dtype="int16")[0].tolist() == stored.tolist()


@pytest.mark.parametrize(("to_hz", "length"), [(16000, 363), (44100, 1000), (48000, 1089), (8000, 182)])
def test_resampled_length_is_rounded_up(to_hz: int, length: int) -> None:
    assert resample(noise(2, 1000), 44100, to_hz).shape == (2, length)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(16000, 44100), (44100, 16000)])
def test_resampled_sine_is_the_sine_at_the_new_rate(from_hz: int, to_hz: int) -> None:
    changed = resample(sine(1000, from_hz, from_hz), from_hz, to_hz)
    expected = sine(1000, to_hz, to_hz)
    inner = slice(to_hz // 10, -to_hz // 10)
    assert np.abs(changed - expected)[:, inner].max() < 1e-4


def test_resampling_leaves_its_input_alone_and_takes_nothing() -> None:
    audio = noise()
    same = resample(audio, 16000, 16000)
    same[:] = 0
    assert np.abs(audio).max() > 0
    assert resample(noise(2, 0), 16000, 8000).shape == (2, 0)


def valid_bytes(folder: Path, name: str, subtype: str) -> bytes:
    path = folder / f"whole_{name}"
    write(path, noise(2, 60000), 48000, subtype=subtype)
    return path.read_bytes()


WRITABLE = [
    ("a.wav", "PCM_16"),
    ("a.wav", "FLOAT"),
    ("a.w64", "PCM_16"),
    ("a.rf64", "PCM_24"),
    ("a.aiff", "PCM_16"),
    ("a.au", "PCM_16"),
    ("a.caf", "PCM_16"),
    ("a.flac", "PCM_16"),
    ("a.ogg", "VORBIS"),
    ("a.opus", "OPUS"),
    ("a.mp3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("name", "subtype"), WRITABLE)
def test_truncated_file_is_refused_before_decoding(tmp_path: Path, name: str, subtype: str) -> None:
    data = valid_bytes(tmp_path, name, subtype)
    (tmp_path / name).write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(AudioFileError, match=f"{name}: is (truncated|damaged|not an audio)"):
        probe(tmp_path / name)


@pytest.mark.parametrize(("name", "subtype"), WRITABLE)
def test_whole_file_is_accepted_at_its_length(tmp_path: Path, name: str, subtype: str) -> None:
    write(tmp_path / name, noise(2, 60000), 48000, subtype=subtype)
    assert probe(tmp_path / name).frames == 60000
    assert read(tmp_path / name).shape == (2, 60000)


@pytest.mark.parametrize("suffix", sorted(AUDIO_SUFFIXES))
def test_every_suffix_that_folders_are_searched_for_can_be_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    subtype = "OPUS" if suffix == ".opus" else None
    soundfile.write(path, noise(1, 30000)[0], 48000, format=FORMATS_OF_SUFFIX[suffix][0], subtype=subtype)
    assert probe(path).frames == 30000
    assert np.abs(read(path, 10000, 500)).max() > 0.1


def test_every_format_with_a_header_is_searched_for() -> None:
    known = {name for names in FORMATS_OF_SUFFIX.values() for name in names}
    assert set(soundfile.available_formats()) - known == {"RAW", "SD2", "SDS", "XI"}


def test_streamed_wav_of_unknown_size_is_accepted(tmp_path: Path) -> None:
    data = bytearray(valid_bytes(tmp_path, "a.wav", "PCM_16"))
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    (tmp_path / "a.wav").write_bytes(data)
    assert probe(tmp_path / "a.wav").frames == 60000


def test_mislabelled_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(valid_bytes(tmp_path, "a.flac", "PCM_16"))
    with pytest.raises(AudioFileError, match=r"a\.wav: holds FLAC data although its name ends in \.wav"):
        probe(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["notes.txt", "notes.wav", "notes.raw", "notes.mp3"])
def test_text_is_no_audio(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("hello, this is text, not audio\n" * 50, encoding="utf-8")
    with pytest.raises(AudioFileError, match=name):
        probe(tmp_path / name)


def test_empty_missing_and_zero_length_files_and_folders_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.wav").touch()
    write(tmp_path / "zero.wav", noise(2, 0), 16000)
    (tmp_path / "folder.wav").mkdir()
    reasons = {"empty": "is an empty file", "zero": "holds no samples", "missing": "no such file", "folder": "is a directory"}
    for name, reason in reasons.items():
        with pytest.raises(AudioFileError, match=f"{name}.wav: {reason}"):
            probe(tmp_path / f"{name}.wav")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_non_finite_samples_are_refused(tmp_path: Path, value: float) -> None:
    audio = noise()
    audio[1, 2000] = value
    write(tmp_path / "a.wav", audio, 16000, subtype="FLOAT")
    with pytest.raises(AudioFileError, match="NaN or infinite"):
        read(tmp_path / "a.wav")
    assert read(tmp_path / "a.wav", 0, 2000).shape == (2, 2000)


def test_forbidden_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(opening, "open", forbid, raising=False)
    with pytest.raises(AudioFileError, match=r"a\.wav: permission denied"):
        probe(tmp_path / "a.wav")


@pytest.mark.parametrize(("name", "subtype"), [("a.flac", "FLOAT"), ("a.xyz", "PCM_16"), ("file/a.wav", "PCM_16")])
def test_impossible_output_is_named_and_leaves_nothing(tmp_path: Path, name: str, subtype: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AudioFileError, match=Path(name).name):
        write(tmp_path / name, noise(), 16000, subtype=subtype)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_too_many_channels_for_the_format_are_named(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"a\.flac: cannot be written as FLAC of subtype PCM_16 with 9 channels"):
        write(tmp_path / "a.flac", noise(9), 16000)
    assert list(tmp_path.iterdir()) == []
