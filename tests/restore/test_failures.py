"""What fails is named, leaves nothing behind, and does not cost the other files."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch import Tensor

import restore
from datamodules.audio.io import write
from lightning_modules import signals
from lightning_modules.base import RestorationModule
from tests.restore.conftest import Custom, call, make


def test_difficult_names_and_trees_are_mirrored(tmp_path: Path, checkpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("-dash.wav", "tree/a = b, c.flac", "tree/[red]sub/ü 大.wav"):
        make(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    arguments = [checkpoint, "-o", "out", "--chunk", "0.5", "--overlap", "0.1", "--", "-dash.wav", "tree"]
    assert restore.main(arguments) == 0
    found = sorted(str(path.relative_to("out")) for path in Path("out").rglob("*") if path.is_file())
    assert found == ["-dash.wav", "[red]sub/ü 大.wav", "a = b, c.flac"]


def broken_files(folder: Path) -> list[str]:
    """Make a broken file of every kind and return their names."""
    whole = make(folder / "whole.wav").read_bytes()
    flac = make(folder / "whole.flac").read_bytes()
    contents = {
        "empty.wav": b"",
        "truncated.wav": whole[: len(whole) // 2],
        "truncated.flac": flac[: len(flac) // 2],
        "text.wav": b"this is no audio at all",
        "noise.mp3": bytes(1000),
        "mislabelled.wav": flac,
        "header only.wav": whole[:44],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    write(folder / "zero.wav", np.zeros((1, 0)), 16000)
    write(folder / "nan.wav", np.where(np.arange(90000) == 80000, np.nan, 0.1)[None], 16000, subtype="FLOAT")
    write(folder / "inf.wav", np.where(np.arange(90000) == 80000, np.inf, 0.1)[None], 16000, subtype="FLOAT")
    return [*contents, "zero.wav", "nan.wav", "inf.wav"]


def test_broken_files_are_named_once_and_skipped(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    broken = broken_files(tmp_path / "in")
    assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert out == "restored 2 files, skipped 10\n"
    assert len([line for line in err.splitlines() if line.startswith("skipped ")]) == 10
    for name in broken:
        assert err.count(f"skipped {tmp_path / 'in' / name}: ") == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["whole.flac", "whole.wav"]


def test_unreadable_file_is_named(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("datamodules.audio.opening.open", refuse, raising=False)
    assert call(checkpoint, make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 1
    assert capsys.readouterr().err == f"skipped {tmp_path / 'a.wav'}: permission denied\n"


@pytest.mark.parametrize(
    ("function", "reason"),
    [(lambda x: x / 0, "NaN or infinite"), (lambda x: x[..., :5], "shape"), (lambda x: x @ x, "the method failed")],
)
def test_failing_method_is_named_and_leaves_nothing(
    tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str], function: Callable[..., Tensor], reason: str
) -> None:
    use(function)
    assert call("x", make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert f"skipped {tmp_path / 'a.wav'}: " in err
    assert reason in err
    assert out == "restored 0 files, skipped 1\n"
    assert not (tmp_path / "out").exists()


def test_method_that_cannot_be_built_for_a_rate_costs_the_files_of_that_rate_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def method(rate_hz: int) -> RestorationModule:
        if rate_hz == 22050:
            raise RuntimeError("out of memory")
        return RestorationModule(Custom(lambda x: 0.5 * x), rate_hz)

    monkeypatch.setattr("lightning_modules.commands.restore.open_method", lambda name, device, trusted: method)
    assert call("x", make(tmp_path / "a.wav", 22050), make(tmp_path / "b.wav"), "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert (out, err) == (
        "restored 1 file, skipped 1\n",
        f"skipped {tmp_path / 'a.wav'}: failed: RuntimeError: out of memory\n",
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_no_partial_files(
    tmp_path: Path,
    use: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
) -> None:
    def interrupt(corrupted: Tensor) -> Tensor:
        signal.raise_signal(number)
        raise AssertionError("went on")

    monkeypatch.setattr(signals, "end_process", lambda number: None)
    use(interrupt)
    assert call("x", make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 128 + number
    assert capsys.readouterr().err == f"interrupted by {number.name}; files finished so far are kept\n"
    assert list((tmp_path / "out").iterdir()) == []


@pytest.fixture
def never_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of three files, and let no sample be written to a file on disk from then on."""
    for name in ("a.wav", "b.wav", "c.wav"):
        write(tmp_path / "in" / name, np.zeros((1, 8000)), 16000)
    write_samples = soundfile.SoundFile.write

    def fail(file: soundfile.SoundFile, samples: np.ndarray) -> None:
        if isinstance(file.name, bytes):
            raise soundfile.LibsndfileError(2)
        write_samples(file, samples)

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    return tmp_path / "in"


def test_full_disk_stops_the_run_and_names_the_folder(
    tmp_path: Path, never_written: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fsync
    tries = iter([real])  # the folder takes a file at the start, and none any more when the first one fails

    def sync(descriptor: int) -> None:
        if next(tries, None) is None:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr("datamodules.audio.output.os.fsync", sync)
    assert call("wiener", never_written, "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    first, last = err.splitlines()
    assert first.startswith(f"skipped {tmp_path / 'out' / 'a.wav'}: could not be written")
    assert last == f"stopped: {tmp_path / 'out'}: could not be written: no space left on device"
    assert out == "restored 0 files, skipped 3\n"


def test_file_that_cannot_be_written_does_not_end_the_batch(
    tmp_path: Path, never_written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("wiener", never_written, "-o", tmp_path / "out") == 1
    assert [line.split(": ")[0] for line in capsys.readouterr().err.splitlines()] == [
        f"skipped {tmp_path / 'out' / name}" for name in ("a.wav", "b.wav", "c.wav")
    ]


def test_result_whose_folder_is_a_file_does_not_end_the_batch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "in" / "sub" / "a.wav", np.zeros((1, 8000)), 16000)
    write(tmp_path / "in" / "z.wav", np.zeros((1, 8000)), 16000)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").touch()
    assert call("wiener", tmp_path / "in", "-o", tmp_path / "out") == 1
    assert capsys.readouterr().out == "restored 1 file, skipped 1\n"
    assert (tmp_path / "out" / "z.wav").is_file()


@pytest.mark.parametrize("subtype", ["IMA_ADPCM", "MS_ADPCM", "GSM610"])
def test_block_codec_is_restored_in_the_midst_of_a_batch(tmp_path: Path, checkpoint: str, subtype: str) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / "in" / name, 0.1 * np.sin(np.arange(9001) / 9), 8000, subtype=subtype)
        content = bytearray((tmp_path / "in" / name).read_bytes())
        content[24:28] = (44100).to_bytes(4, "little")  # blocks of another length than libsndfile's own at this rate
        (tmp_path / "in" / name).write_bytes(content)
    assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out") == 0
    for name in ("a.wav", "b.wav"):
        assert soundfile.info(tmp_path / "out" / name).frames >= soundfile.info(tmp_path / "in" / name).frames


def test_unforeseen_failure_of_one_file_does_not_end_the_batch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise IndexError("index out of range")

    make(tmp_path / "in" / "a.flac", 16000)
    make(tmp_path / "in" / "b.wav", 16000)
    monkeypatch.setattr("datamodules.audio.tags.copy_flac_blocks", fail)
    assert call("wiener", tmp_path / "in", "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert err == f"skipped {tmp_path / 'in' / 'a.flac'}: failed: IndexError: index out of range\n"
    assert out == "restored 1 file, skipped 1\n"


@pytest.mark.posix
def test_pipes_are_not_opened_and_folders_named_like_audio_are_searched(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "in" / "folder.wav" / "a.wav")
    os.mkfifo(tmp_path / "in" / "pipe.wav")
    assert call(checkpoint, tmp_path / "in", tmp_path / "in" / "pipe.wav", "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert err.splitlines()[0] == f"skipped {tmp_path / 'in' / 'pipe.wav'}: is not a regular file (a pipe, socket or device)"
    assert out == "restored 1 file, skipped 1\n"
