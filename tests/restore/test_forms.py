"""Results have the form that is asked for, whatever the channels and the peaks."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import Tensor

import restore
from datamodules.audio.io import read, write
from datamodules.audio.partial import replaced_when_done
from tests.restore.conftest import call, make


def test_declipped_peaks_are_kept_in_float(tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    use(lambda x: 1.5 * x)
    source = make(tmp_path / "a.wav", 16000)
    write(source, np.clip(3 * read(source), -1, 1), 16000)
    assert call("x", source, "-o", tmp_path / "out", "--clip-mode", "none", "--subtype", "float") == 0
    assert soundfile.info(tmp_path / "out" / "a.wav").subtype == "FLOAT"
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), 1.5 * read(source), atol=1e-6)
    assert capsys.readouterr().err == ""


def test_loud_result_is_turned_down_as_a_whole(
    tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    use(lambda x: 4 * x)
    source = make(tmp_path / "a.wav", 16000)
    assert call("x", source, "-o", tmp_path / "out", "--clip-mode", "rescale") == 0
    loud = 4 * read(source)
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), loud / np.abs(loud).max(), atol=1e-4)
    decibels = 20 * np.log10(np.abs(loud).max())
    told = f"note: {tmp_path / 'out' / 'a.wav'}: turned down by {decibels:.1f} dB, so that its peak is at full scale\n"
    assert capsys.readouterr().err == told


def test_quiet_result_is_not_turned_down(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = make(tmp_path / "a.wav", 16000)
    assert call(checkpoint, source, "-o", tmp_path / "out", "--clip-mode", "rescale") == 0
    assert (tmp_path / "out" / "a.wav").read_bytes() == source.read_bytes()
    assert capsys.readouterr().err == ""


def test_overshoot_of_a_lossy_file_is_told(tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    use(lambda x: 4 * x)
    assert call("x", make(tmp_path / "a.ogg", 16000, subtype="VORBIS"), "-o", tmp_path / "out") == 0
    assert "exceed full scale, the peak by " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "name", "form", "subtype"),
    [
        (["--format", "flac"], "a.flac", "FLAC", "PCM_16"),
        (["--format", "flac", "--subtype", "PCM_24"], "a.flac", "FLAC", "PCM_24"),
        (["--format", "MP3"], "a.mp3", "MP3", "MPEG_LAYER_III"),
        (["--format", "opus"], "a.opus", "OGG", "OPUS"),
        (["--subtype", "PCM_24"], "a.wav", "WAV", "PCM_24"),
        (["--format", "wav"], "a.wav", "WAV", "PCM_16"),
    ],
)
def test_results_have_the_form_that_is_asked_for(
    tmp_path: Path, checkpoint: str, options: list[str], name: str, form: str, subtype: str
) -> None:
    assert call(checkpoint, make(tmp_path / "a.wav", 16000), "-o", tmp_path / "out", *options) == 0
    info = soundfile.info(tmp_path / "out" / name)
    assert (info.format, info.subtype, info.frames) == (form, subtype, 30011)


def test_files_that_differ_in_their_ending_only_do_not_meet(tmp_path: Path, checkpoint: str) -> None:
    for name in ("a.wav", "a.aiff", "a.flac"):
        make(tmp_path / "in" / name, 16000)
    assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out", "--format", "flac") == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.aiff.flac", "a.flac", "a.wav.flac"]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--format", "xyz"], "--format xyz is unknown; known: "),
        (["--format", "x\ny"], "--format x\\ny is unknown; known: "),
        (["--subtype", "PCM_17"], "--subtype PCM_17 is not possible with any format; possible: "),
        (["--format", "flac", "--subtype", "FLOAT"], "--subtype FLOAT is not possible with --format flac; possible: PCM_16, "),
        (["--clip-mode", "none", "--subtype", "PCM_16"], "--clip-mode none with --subtype PCM_16: it holds nothing beyond full"),
    ],
)
def test_impossible_forms_are_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert call("wiener", tmp_path / "missing.wav", "-o", tmp_path / "out", *options) == 2
    assert f"error: {sentence}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--clip-mode", "none"], "--clip-mode none: PCM_16 holds nothing beyond full scale; add --subtype FLOAT"),
        (["--subtype", "VORBIS"], "--subtype VORBIS is not possible in WAV; possible: "),
        (["--format", "mp3"], "cannot be written (it takes 1 or 2 channels at 8000, "),
    ],
)
def test_what_one_file_cannot_be_is_told_before_it_is_processed(
    tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str], options: list[str], reason: str
) -> None:
    use(lambda x: pytest.fail("was processed"))
    assert call("x", make(tmp_path / "a.wav", 16000, 3), "-o", tmp_path / "out", *options) == 1
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(("rate_hz", "channels"), [(48000, 19), (400_000, 3)])
def test_many_channels_are_restored_in_groups(tmp_path: Path, use: Callable[..., None], rate_hz: int, channels: int) -> None:
    seen: list[int] = []

    def halve(corrupted: Tensor) -> Tensor:
        seen.append(corrupted.shape[1])
        return corrupted / 2

    use(halve)
    source = make(tmp_path / "a.wav", rate_hz, channels, "FLOAT", 9000)
    assert call("x", source, "-o", tmp_path / "out") == 0
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), read(source) / 2, atol=1e-6)
    assert max(seen) == max(1, 4 * 48000 // rate_hz)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.wav"]


@pytest.mark.parametrize(
    ("place", "size", "value", "reason"),
    [
        (24, 4, 100, "has a sample rate of 100 Hz; 1000 to 768000 Hz are read"),
        (24, 4, 2**31 - 1, "has a sample rate of 2147483647 Hz; 1000 to 768000 Hz are read"),
        (22, 2, 1000, "has 1000 channels; at most 128 are read"),
    ],
)
def test_headers_beyond_what_audio_has_are_refused_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], place: int, size: int, value: int, reason: str
) -> None:
    content = bytearray(make(tmp_path / "a.wav", 16000, 1).read_bytes())
    content[place : place + size] = value.to_bytes(size, "little")
    if size == 2:
        content[32:34] = (2 * value).to_bytes(2, "little")
    (tmp_path / "a.wav").write_bytes(content)
    assert call("wiener", tmp_path / "a.wav", "-o", tmp_path / "out") == 1
    assert reason in capsys.readouterr().err


def test_what_a_killed_run_left_is_removed_and_what_a_living_one_holds_is_not(tmp_path: Path, checkpoint: str) -> None:
    make(tmp_path / "in" / "sub" / "a.wav", 16000)
    folder = tmp_path / "out" / "sub"
    folder.mkdir(parents=True)
    left = folder / f".{'0' * 32}.partial"
    others = folder / ".mine.partial"
    left.touch()
    others.touch()
    with replaced_when_done(folder / "b.wav") as held:
        assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out") == 0
        assert held.exists()
    assert sorted(path.name for path in folder.iterdir()) == [".mine.partial", "a.wav", "b.wav"]


def test_lines_of_the_mp3_decoder_are_told_once_with_the_name(tmp_path: Path) -> None:
    content = bytearray(make(tmp_path / "a.mp3", 44100, subtype="MPEG_LAYER_III").read_bytes())
    for place in range(5000, len(content), 400):
        content[place : place + 40] = bytes(40)
    (tmp_path / "a.mp3").write_bytes(content)
    command = [sys.executable, restore.__file__, "cubic_spline", tmp_path / "a.mp3", "-o", tmp_path / "out"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=Path(restore.__file__).parent)
    lines = result.stderr.splitlines()
    assert len([line for line in lines if "its decoder met damage: " in line]) == 1
    assert all(str(tmp_path) in line for line in lines)
