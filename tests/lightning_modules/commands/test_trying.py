"""What is tried is what restore.py writes; beside it two copies at one loudness, a picture, and sentences without paths."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import Tensor

import restore
from datamodules.audio.bounds import Bounds
from lightning_modules.base import RestorationModule
from lightning_modules.commands.opening import MethodAtRate
from lightning_modules.commands.trying import INPUT, RESTORED, Tried, open_methods, try_method
from tests.conftest import tone
from tests.restore.conftest import Custom, make

WIDE = Bounds(megabytes=100.0, seconds=300.0)


def method_of(function: Callable[[Tensor], Tensor]) -> MethodAtRate:
    return lambda sample_rate_hz: RestorationModule(Custom(function), sample_rate_hz)


def tried(method: MethodAtRate, file: Path, folder: Path, strength: float = 1.0, bounds: Bounds = WIDE) -> Tried:
    (folder / "work").mkdir()
    return try_method(method, file, strength, bounds, folder / "work", lambda share: None)


def level_db(path: Path) -> float:
    audio, _ = soundfile.read(path)
    return float(10 * np.log10(np.square(audio).mean()))


def test_result_is_the_file_that_restore_writes(tmp_path: Path) -> None:
    songs = [tmp_path / name for name in ("stereo.mp3", "mono.flac")]
    soundfile.write(songs[0], np.stack([tone(0, 1.5, 44100), tone(1, 1.5, 44100)], axis=1), 44100)
    soundfile.write(songs[1], tone(2, 1.5, 44100), 44100)
    settings = ["-o", str(tmp_path / "out"), "--strength", "0.6", "--device", "cpu"]
    assert restore.main(["wiener", *map(str, songs), *settings]) == 0
    method = open_methods([], "cpu", [])["wiener"]
    for song in songs:
        (tmp_path / song.stem).mkdir()
        result = tried(method, song, tmp_path / song.stem, strength=0.6).restored
        assert result.name == song.name
        assert result.read_bytes() == (tmp_path / "out" / song.name).read_bytes() != song.read_bytes()


def test_given_methods_come_first_and_each_once() -> None:
    assert list(open_methods(["sinc", "wiener", "sinc"], "cpu", []))[:2] == ["sinc", "wiener"]
    assert "wiener" in open_methods([], "cpu", [])
    with pytest.raises(ValueError, match="^runs/none: no such checkpoint"):
        open_methods(["runs/none"], "cpu", [])


def test_copies_have_one_loudness_and_the_result_its_own(tmp_path: Path) -> None:
    result = tried(method_of(lambda x: 0.25 * x), make(tmp_path / "a.wav", 22050), tmp_path)
    assert level_db(result.heard[RESTORED]) == pytest.approx(level_db(result.heard[INPUT]), abs=0.1)
    assert level_db(result.restored) - level_db(tmp_path / "a.wav") == pytest.approx(20 * np.log10(0.25), abs=0.1)
    assert result.lines == ["played at one loudness: input +0.0 dB, restored +12.0 dB"]


def test_copies_are_in_a_form_that_browsers_play(tmp_path: Path) -> None:
    copies = tried(method_of(lambda x: 0.5 * x), make(tmp_path / "a.flac", 96000, channels=3), tmp_path).heard
    for facts in map(soundfile.info, copies.values()):
        assert (facts.format, facts.subtype, facts.samplerate, facts.channels) == ("WAV", "PCM_16", 48000, 2)
        assert facts.frames == pytest.approx(30011 / 2, abs=1)


def test_louder_result_turns_both_down_and_clips_no_copy(tmp_path: Path) -> None:
    result = tried(method_of(lambda x: 1.9 * x), make(tmp_path / "a.wav", 48000), tmp_path)
    assert max(np.abs(soundfile.read(path)[0]).max() for path in result.heard.values()) < 1
    assert level_db(result.heard[RESTORED]) == pytest.approx(level_db(result.heard[INPUT]), abs=0.1)


def test_silence_is_heard_and_seen(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 4000)
    result = tried(method_of(lambda x: x), tmp_path / "a.wav", tmp_path)
    assert result.picture.read_bytes().startswith(b"\x89PNG")
    assert not soundfile.read(result.heard[RESTORED])[0].any()


def test_shares_of_the_restoration_add_up(tmp_path: Path) -> None:
    shares: list[float] = []
    (tmp_path / "work").mkdir()
    soundfile.write(tmp_path / "a.wav", tone(0, 20.0), 4000)
    try_method(method_of(lambda x: x), tmp_path / "a.wav", 1.0, WIDE, tmp_path / "work", shares.append)
    assert len(shares) > 1
    assert sum(shares) == pytest.approx(1.0)


def test_what_restore_would_tell_is_told_without_paths(tmp_path: Path) -> None:
    narrow_and_loud = RestorationModule(Custom(lambda x: 4 * x), 16000)
    band, clipped, _ = tried(lambda sample_rate_hz: narrow_and_loud, make(tmp_path / "a.wav"), tmp_path).lines
    assert band.startswith("note: a.wav at 44.1 kHz: everything above 8 kHz stays as it was")
    assert clipped.startswith("note: a.wav: ") and " clipped, the peak exceeded full scale by " in clipped


def fails(x: Tensor) -> Tensor:
    raise RuntimeError("no\nluck")


@pytest.mark.parametrize(
    ("name", "content", "function", "strength", "bounds", "sentence"),
    [
        ("a.wav", b"no audio", None, 1.0, WIDE, "a.wav: is not an audio file that libsndfile can read"),
        ("a.wav", b"", None, 1.0, WIDE, "a.wav: is an empty file"),
        ("a.wav", None, None, 1.0, Bounds(1.0, 0.5), "a.wav: lasts 0.7 s; at most 0.5 s are taken here"),
        ("a.wav", None, None, 2.0, WIDE, "strength=2.0 must be between 0 and 1"),
        ("a.wav", None, fails, 1.0, WIDE, "a.wav: the method failed: no luck"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_without_paths(
    tmp_path: Path,
    name: str,
    content: bytes | None,
    function: Callable[[Tensor], Tensor] | None,
    strength: float,
    bounds: Bounds,
    sentence: str,
) -> None:
    file = make(tmp_path / name)
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        tried(method_of(function or (lambda x: x)), file, tmp_path, strength, bounds)


def test_method_that_cannot_be_built_and_picture_that_cannot_be_drawn_are_sentences(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> RestorationModule:
        raise RuntimeError("out of\nmemory")

    file = make(tmp_path / "a.wav")
    for name in ("build", "draw"):
        (tmp_path / name).mkdir()
    with pytest.raises(ValueError, match=r"^a\.wav: failed: RuntimeError: out of memory$"):
        tried(fail, file, tmp_path / "build")
    monkeypatch.setattr("lightning_modules.commands.trying.draw", fail)
    with pytest.raises(ValueError, match=r"^a\.wav: failed: RuntimeError: out of memory$"):
        tried(method_of(lambda x: x), file, tmp_path / "draw")
