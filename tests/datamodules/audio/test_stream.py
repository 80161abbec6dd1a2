"""Files as streams: block reading, and outputs of the same form as their inputs."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.checks import AudioFileError
from datamodules.audio.io import probe
from datamodules.audio.output import OutputError, Target, check_folder, open_output
from datamodules.audio.stream import open_like, read_blocks

KINDS = [
    ("a.wav", "WAV", "PCM_16"),
    ("a.wav", "WAV", "PCM_24"),
    ("a.wav", "WAV", "PCM_32"),
    ("a.wav", "WAV", "FLOAT"),
    ("a.wav", "WAV", "DOUBLE"),
    ("a.wav", "WAV", "PCM_U8"),
    ("a.wav", "WAVEX", "PCM_24"),
    ("a.wav", "RF64", "PCM_16"),
    ("a.w64", "W64", "PCM_16"),
    ("a.flac", "FLAC", "PCM_16"),
    ("a.flac", "FLAC", "PCM_24"),
    ("a.aiff", "AIFF", "PCM_16"),
    ("a.caf", "CAF", "ALAC_24"),
    ("a.au", "AU", "ULAW"),
]
LOSSY = [("a.ogg", "OGG", "VORBIS"), ("a.opus", "OGG", "OPUS"), ("a.mp3", "MP3", "MPEG_LAYER_III")]
TAGS = {"title": "Ein Stück", "artist": "A = B", "album": "C, D", "comment": "none", "date": "1999", "genre": "Test"}


def make(path: Path, container: str, subtype: str, channels: int = 2, tags: dict[str, str] | None = None) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (channels, 30011)) * 0.9
    with open_output(path, Target(container, subtype, 48000, channels, tags=tags or {})) as put:
        put(audio)


def copy(source: Path, output: Path, block: int = 4000) -> None:
    with open_like(probe(source), output) as put:
        for part in read_blocks(source, block):
            put(part)


@pytest.mark.parametrize(("name", "container", "subtype"), KINDS)
def test_copy_has_every_sample_and_the_same_form(tmp_path: Path, name: str, container: str, subtype: str) -> None:
    make(tmp_path / name, container, subtype)
    copy(tmp_path / name, tmp_path / "out" / name)
    before, after = soundfile.info(tmp_path / name), soundfile.info(tmp_path / "out" / name)
    form = ("format", "subtype", "samplerate", "channels", "frames", "endian")
    assert [getattr(after, key) for key in form] == [getattr(before, key) for key in form]
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out" / name)[0], soundfile.read(tmp_path / name)[0])


@pytest.mark.parametrize(("name", "container", "subtype"), LOSSY)
def test_lossy_copy_has_the_same_form_and_length(tmp_path: Path, name: str, container: str, subtype: str) -> None:
    make(tmp_path / name, container, subtype)
    copy(tmp_path / name, tmp_path / "out" / name)
    before, after = probe(tmp_path / name), probe(tmp_path / "out" / name)
    assert (after.format, after.subtype, after.frames) == (before.format, before.subtype, before.frames)


@pytest.mark.parametrize(("name", "container", "subtype"), [KINDS[0], KINDS[9], *LOSSY])
def test_text_tags_are_kept(tmp_path: Path, name: str, container: str, subtype: str) -> None:
    make(tmp_path / name, container, subtype, tags=TAGS)
    copy(tmp_path / name, tmp_path / "out" / name)
    with soundfile.SoundFile(tmp_path / name) as before, soundfile.SoundFile(tmp_path / "out" / name) as after:
        kept = before.copy_metadata()
        assert (kept["artist"], kept["album"]) == ("A = B", "C, D")
        assert {key: after.copy_metadata().get(key) for key in TAGS} == {key: kept.get(key) for key in TAGS}


@pytest.mark.parametrize("channels", [1, 5])
def test_channels_are_kept(tmp_path: Path, channels: int) -> None:
    make(tmp_path / "a.flac", "FLAC", "PCM_16", channels)
    copy(tmp_path / "a.flac", tmp_path / "b.flac")
    assert soundfile.info(tmp_path / "b.flac").channels == channels


def test_blocks_have_the_asked_length(tmp_path: Path) -> None:
    make(tmp_path / "a.wav", "WAV", "PCM_16")
    assert [block.shape for block in read_blocks(tmp_path / "a.wav", 10000)] == [(2, 10000)] * 3 + [(2, 11)]


def test_nan_is_found_when_it_is_reached(tmp_path: Path) -> None:
    audio = np.zeros((1, 1000))
    audio[0, 700] = np.nan
    with open_output(tmp_path / "a.wav", Target("WAV", "FLOAT", 8000, 1)) as put:
        put(audio)
    blocks = read_blocks(tmp_path / "a.wav", 500)
    assert next(blocks).shape == (1, 500)
    with pytest.raises(AudioFileError, match="NaN"):
        next(blocks)


def test_file_that_cannot_be_decoded_to_its_end_is_refused(tmp_path: Path) -> None:
    make(tmp_path / "a.flac", "FLAC", "PCM_16")
    data = bytearray((tmp_path / "a.flac").read_bytes())
    data[len(data) // 2 :] = data[: len(data) - len(data) // 2]
    (tmp_path / "a.flac").write_bytes(data)
    with pytest.raises(AudioFileError, match=r"a\.flac: is (damaged|truncated)"):
        list(read_blocks(tmp_path / "a.flac", 1000))


def test_failure_leaves_no_file_and_keeps_the_old_one(tmp_path: Path) -> None:
    def write_and_fail() -> None:
        with open_output(tmp_path / "a.wav", Target("WAV", "PCM_16", 8000, 1)) as put:
            put(np.zeros((1, 1000)))
            raise KeyboardInterrupt

    (tmp_path / "a.wav").write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
    assert (tmp_path / "a.wav").read_text(encoding="utf-8") == "old"


def test_full_disk_is_told_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    with (
        pytest.raises(OutputError, match=r"a\.wav: could not be written; \d+ MB are free"),
        open_output(tmp_path / "a.wav", Target("WAV", "PCM_16", 8000, 1)) as put,
    ):
        put(np.zeros((1, 1000)))
    assert list(tmp_path.iterdir()) == []


def test_write_that_was_lost_without_an_error_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(soundfile.SoundFile, "write", lambda *_: None)
    with pytest.raises(OutputError, match="could not be written"):
        make(tmp_path / "a.wav", "WAV", "PCM_16")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file/inside: could not be written"):
        check_folder(tmp_path / "file" / "inside")
