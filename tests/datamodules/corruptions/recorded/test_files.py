"""The folder behind a corruption, with a check of its own kind; what it means for noise and rooms is tested there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from datamodules.audio.io import AudioFileError, AudioInfo
from datamodules.corruptions.recorded.files import RecordedFiles

WriteNoise = Callable[..., Path]


class Mono(RecordedFiles):
    """Takes mono files only."""

    kind = "hum"

    def check_file(self, info: AudioInfo) -> None:
        if info.channels != 1:
            raise AudioFileError(info.path, "is not mono")


def names(files: RecordedFiles) -> list[str]:
    return [info.path.name for info in files._files]


def test_files_that_fail_the_check_are_named_and_left_out(
    tmp_path: Path, write_noise: WriteNoise, caplog: pytest.LogCaptureFixture
) -> None:
    write_noise(tmp_path / "mono.wav")
    write_noise(tmp_path / "stereo.wav", channels=2)
    files = Mono(str(tmp_path))
    assert names(files) == ["mono.wav"]
    assert files.skipped == [f"{tmp_path / 'stereo.wav'}: is not mono"]
    assert caplog.text.count("stereo.wav") == 1


def test_folder_of_which_nothing_is_left_is_refused_by_its_key(tmp_path: Path, write_noise: WriteNoise) -> None:
    write_noise(tmp_path / "stereo.wav", channels=2)
    with pytest.raises(ValueError, match="hum_root=.* holds no readable audio file for hum_split='matching'"):
        Mono(str(tmp_path))


def test_problem_is_reported_once_and_shared_between_splits(tmp_path: Path, write_noise: WriteNoise) -> None:
    for name in ("a", "b"):
        write_noise(tmp_path / f"{name}.wav")
    (tmp_path / "MANIFEST.csv").write_text("file,split\na.wav,train\nb.wav,val\n", encoding="utf-8")
    files = Mono(str(tmp_path))
    part = files.for_split("train")
    assert names(part) == ["a.wav"] and part.for_split("val") is part
    error = AudioFileError(tmp_path / "a.wav", "is damaged")
    part.report(error)
    part.report(error)
    assert files.skipped == [f"{tmp_path / 'a.wav'}: is damaged"]


def test_recordings_of_formats_that_are_not_read_are_counted(tmp_path: Path, write_noise: WriteNoise) -> None:
    write_noise(tmp_path / "a.wav")
    (tmp_path / "b.m4a").touch()
    files = Mono(str(tmp_path))
    assert names(files) == ["a.wav"]
    assert [sentence.split(": ")[0] for sentence in files.skipped] == [str(tmp_path / "b.m4a")]
