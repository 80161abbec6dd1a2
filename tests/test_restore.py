"""The restore command: real checkpoints in, files of the same form out, and a sentence for whatever cannot be done."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor

import restore
from datamodules.audio.io import read, write
from datamodules.audio.partial import replaced_when_done
from lightning_modules import signals
from lightning_modules.base import RestorationModule
from lightning_modules.stepwise import StepSized, Stepwise
from models.restorer import Restorer
from models.unet import UNet

NET = {"_target_": "models.unet.UNet", "depth": 2, "channels": [4, 4], "kernels": [9, 9], "dropout": 0.0}
MODEL = {"_target_": "lightning_modules.base.RestorationModule", "sample_rate": 16000, "net": NET}


class Custom(Restorer):
    """A network made of any function of single samples."""

    reach_samples = 0

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.function(corrupted)


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """Return an untrained network's checkpoint: the identity at 16 kHz."""
    module = RestorationModule(UNet(depth=2, channels=[4, 4], kernels=[9, 9], dropout=0.0), 16000)
    path = tmp_path / "runs" / "r" / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({"model_config": MODEL, "state_dict": module.state_dict()}, path)
    return str(path)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Tensor], Tensor]], None]:
    """Return a function that puts another one in place of the method, at the file's own sample rate."""

    def put(function: Callable[[Tensor], Tensor]) -> None:
        method = lambda sample_rate_hz: RestorationModule(Custom(function), sample_rate_hz)  # noqa: E731
        monkeypatch.setattr("lightning_modules.commands.restore.open_method", lambda name, device, trusted: method)

    return put


def make(path: Path, rate_hz: int = 44100, channels: int = 2, subtype: str = "PCM_16", samples: int = 30011) -> Path:
    write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (channels, samples)), rate_hz, subtype=subtype)
    return path


def call(*arguments: object) -> int:
    return restore.main([str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "subtype"),
    [
        ("a.wav", 44100, 2, "PCM_16"),
        ("a.wav", 16000, 5, "PCM_24"),
        ("a.wav", 8000, 1, "PCM_32"),
        ("a.wav", 48000, 2, "FLOAT"),
        ("a.wav", 22050, 1, "DOUBLE"),
        ("a.flac", 44100, 2, "PCM_16"),
        ("a.flac", 96000, 1, "PCM_24"),
        ("a.aiff", 44100, 2, "PCM_16"),
    ],
)
def test_untrained_checkpoint_returns_every_bit(
    tmp_path: Path, checkpoint: str, name: str, rate_hz: int, channels: int, subtype: str
) -> None:
    source = make(tmp_path / name, rate_hz, channels, subtype)
    assert call(checkpoint, source, "-o", tmp_path / "out") == 0
    before, after = soundfile.info(source), soundfile.info(tmp_path / "out" / name)
    assert (after.subtype, after.samplerate, after.channels) == (before.subtype, rate_hz, channels)
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out" / name)[0], soundfile.read(source)[0])


@pytest.mark.parametrize(("name", "subtype"), [("a.ogg", "VORBIS"), ("a.mp3", "MPEG_LAYER_III")])
def test_lossy_files_keep_length_and_sound(tmp_path: Path, checkpoint: str, name: str, subtype: str) -> None:
    source = make(tmp_path / name, subtype=subtype)
    assert call(checkpoint, source, "-o", tmp_path / "out") == 0
    before, after = read(source), read(tmp_path / "out" / name)
    assert after.shape == before.shape
    assert np.corrcoef(before[0, 2000:-2000], after[0, 2000:-2000])[0, 1] > 0.97


def test_run_folder_stands_for_its_best_checkpoint(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(Path(checkpoint).parents[1], make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 0
    assert capsys.readouterr().out == "restored 1 file, skipped 0\n"


def test_strength_mixes(tmp_path: Path, use: Callable[..., None]) -> None:
    use(torch.zeros_like)
    source = make(tmp_path / "a.wav", subtype="FLOAT")
    assert call("x", source, "-o", tmp_path / "out", "--strength", 0.25) == 0
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), 0.75 * read(source), atol=1e-6)


class Taken(Stepwise):
    """Takes a quarter of the signal away in every step."""

    def with_num_steps(self, steps: int) -> RestorationModule:
        return RestorationModule(Custom(lambda x: (1 - steps / 4) * x), self.sample_rate)


@pytest.mark.parametrize(("steps", "left"), [(0, 1.0), (3, 0.25)])
def test_method_in_steps_stops_where_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, left: float) -> None:
    monkeypatch.setattr(
        "lightning_modules.commands.restore.open_method",
        lambda name, device, trusted: lambda rate: Taken(Custom(torch.clone), rate),
    )
    source = make(tmp_path / "a.wav", subtype="FLOAT")
    assert call("x", source, "-o", tmp_path / "out", "--steps", steps) == 0
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), left * read(source), atol=1e-6)


@pytest.mark.parametrize("option", ["--steps", "--refine"])
def test_refining_method_is_told_how_many_steps_of_which_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    told: list[tuple[str, float]] = []

    class Refining(StepSized):
        def with_num_steps(self, steps: int) -> RestorationModule:
            told.append(("steps", steps))
            return self

        def with_step_size(self, step_size: float) -> RestorationModule:
            told.append(("step_size", step_size))
            return self

    module = Refining(Custom(lambda x: x), 16000)
    monkeypatch.setattr(
        "lightning_modules.commands.restore.open_method", lambda name, device, trusted: lambda sample_rate_hz: module
    )
    assert call("x", make(tmp_path / "a.wav"), "-o", tmp_path / "out", option, 3, "--step-size", 0.25) == 0
    assert set(told) == {("steps", 3), ("step_size", 0.25)}


def test_size_of_steps_that_have_none_is_refused(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(checkpoint, make(tmp_path / "a.wav"), "-o", tmp_path / "out", "--step-size", 0.1) == 2
    assert capsys.readouterr().err == "error: step_size=0.1: this method does not refine what it restores in steps of a size\n"


def test_steps_of_another_method_are_refused(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(checkpoint, make(tmp_path / "a.wav"), "-o", tmp_path / "out", "--steps", 2) == 2
    assert capsys.readouterr().err == "error: steps=2: this method does not work in steps\n"


@pytest.mark.parametrize("value", ["-1", "1.5", "all"])
def test_number_of_steps_is_a_whole_number(tmp_path: Path, value: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        call("wiener", tmp_path / "a.wav", "-o", tmp_path / "out", f"--steps={value}")


def test_low_band_is_kept(tmp_path: Path, use: Callable[..., None]) -> None:
    use(torch.zeros_like)
    time = np.arange(44100) / 44100
    write(tmp_path / "a.wav", np.sin(2 * np.pi * 300 * time)[None] / 2, 44100, subtype="FLOAT")
    assert call("x", tmp_path / "a.wav", "-o", tmp_path / "out", "--keep-low-band", 1000) == 0
    change = (read(tmp_path / "out" / "a.wav") - read(tmp_path / "a.wav"))[:, 8000:-8000]
    assert 20 * np.log10(np.abs(change).max() / 0.5) < -80


def test_loud_result_is_clipped_and_not_wrapped(tmp_path: Path, use: Callable[..., None]) -> None:
    use(lambda x: 10 * x)
    source = make(tmp_path / "a.wav")
    assert call("x", source, "-o", tmp_path / "out") == 0
    expected = np.clip(10 * read(source), -1, 32767 / 32768)
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), expected, atol=1e-4)


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


@pytest.mark.usefixtures("without_codecs")
def test_formats_that_are_not_read_are_named_and_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(tmp_path / "in" / "a.wav", 16000)
    for number in range(7):
        (tmp_path / "in" / f"{number}.m4a").write_bytes(b"ftypM4A")
    (tmp_path / "in" / ".hidden.m4a").touch()
    (tmp_path / "song.wma").write_bytes(b"asf")
    assert call("wiener", tmp_path / "in", tmp_path / "song.wma", "-o", tmp_path / "out") == 1
    out, err = capsys.readouterr()
    assert out == "restored 1 file, skipped 8\n"
    assert err.count(": .m4a files are not read; pip install '.[codecs]' to read them, ") == 5
    assert f"skipped {tmp_path / 'song.wma'}: .wma files are not read; pip install '.[codecs]' to read them, " in err
    assert err.splitlines()[-1] == "skipped 2 more files of formats that are not read (2 .m4a)"


def test_band_that_a_method_does_not_reach_is_told(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(checkpoint, make(tmp_path / "a.wav"), make(tmp_path / "b.wav", 16000), "-o", tmp_path / "out") == 0
    kept = "everything above 8 kHz stays as it was, because the method works at 16 kHz"
    assert capsys.readouterr().err == f"note: {tmp_path / 'a.wav'} at 44.1 kHz: {kept}\n"


def test_clipping_of_the_result_is_told_in_one_line(
    tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    use(lambda x: 4 * x)
    source = make(tmp_path / "a.wav", 16000)
    assert call("x", source, "-o", tmp_path / "out") == 0
    expected = 4 * read(source).astype(float)
    count = np.count_nonzero((np.rint(32768 * expected) > 32767) | (np.rint(32768 * expected) < -32768))
    excess_db = 20 * np.log10(np.abs(expected).max())
    told = f"{count} of {expected.size} samples ({100 * count / expected.size:.2g} %) clipped"
    assert capsys.readouterr().err.startswith(
        f"note: {tmp_path / 'out' / 'a.wav'}: {told}, the peak exceeded full scale by {excess_db:.1f} dB; "
    )


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32"])
def test_full_scale_of_the_input_is_no_clipping(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str], subtype: str
) -> None:
    square = np.sign(np.sin(np.arange(30000) / 20))[None]
    write(tmp_path / "a.wav", square, 16000, subtype=subtype)
    assert call(checkpoint, tmp_path / "a.wav", "-o", tmp_path / "out") == 0
    assert capsys.readouterr().err == ""


def test_kind_that_cannot_be_written_is_refused_before_it_is_processed(
    tmp_path: Path, use: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    use(lambda x: pytest.fail("was processed"))
    frame = bytes([0xFF, 0xFD, 0x84, 0xC0]).ljust(384, b"\0")  # silence in MPEG-1 layer II
    (tmp_path / "a.mp2").write_bytes(60 * frame)
    assert call("x", tmp_path / "a.mp2", "-o", tmp_path / "out") == 1
    assert f"skipped {tmp_path / 'a.mp2'}: is read, but MP3 of subtype MPEG_LAYER_II with " in capsys.readouterr().err


def test_output_that_is_no_folder_is_one_sentence(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = make(tmp_path / "a.wav")
    assert call(checkpoint, source, "-o", source) == 2
    assert capsys.readouterr().err == f"error: {source}: could not be written: file exists\n"


def test_inputs_are_never_overwritten(tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]) -> None:
    source = make(tmp_path / "a.wav")
    before = source.read_bytes()
    assert call(checkpoint, source, "-o", tmp_path) == 1
    assert "would overwrite the input" in capsys.readouterr().err
    assert source.read_bytes() == before


def test_unknown_method_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call("nothing", make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith("error: nothing: no such checkpoint, run folder or method without training (")


def test_damaged_checkpoint_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"no checkpoint")
    assert call(tmp_path / "a.ckpt", make(tmp_path / "a.wav"), "-o", tmp_path / "out") == 2
    assert capsys.readouterr().err.startswith(f"error: {tmp_path / 'a.ckpt'}: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["x"],
        ["x", "a.wav"],
        ["x", "-o", "out"],
        ["x", "a.wav", "-o", "out", "--strength", "1.5"],
        ["x", "a.wav", "-o", "out", "--strength", "nan"],
        ["x", "a.wav", "-o", "out", "--keep-low-band", "-1"],
        ["x", "a.wav", "-o", "out", "--chunk", "2", "--overlap", "1.1"],
        ["x", "a.wav", "-o", "out", "--device", "tpu"],
        ["wiener", "", "-o", "out"],
        ["", "a.wav", "-o", "out"],
        ["wiener", "a.wav", "-o", " "],
        ["wiener", "a.wav", "-o", "out", "--strength", "lots"],
        ["wiener", "a.wav", "-o", "out", "--steps", "٣"],
    ],
)
def test_bad_usage_exits_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        restore.main(arguments)
    assert exit_info.value.code == 2
    assert "error: " in capsys.readouterr().err


class Looking(Custom):
    """A network that looks half a second around at 16 kHz."""

    reach_samples = 8000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], False),
        (["--overlap", 2], False),
        (["--chunk", 4], False),
        (["--overlap", 1], True),
        (["--chunk", 1], True),
    ],
)
def test_chunks_too_short_for_the_reach_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], options: list[object], told: bool
) -> None:
    method = lambda rate: RestorationModule(Looking(torch.clone), rate)  # noqa: E731
    monkeypatch.setattr("lightning_modules.commands.restore.open_method", lambda name, device, trusted: method)
    assert call("x", make(tmp_path / "a.wav", 16000), "-o", tmp_path / "out", *options) == 0
    sentence = "joints may be heard; without --chunk and --overlap this method takes chunks of 8 s that share 1.1 s, and none are"
    assert (sentence in capsys.readouterr().err) == told


def test_control_characters_of_a_name_stay_off_the_screen(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a\x1b[31mb\nskipped c.wav").write_bytes(b"no audio")
    assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out") == 1
    told = capsys.readouterr().err
    assert "a\\x1b[31mb\\nskipped c.wav" in told
    assert "\x1b" not in told
    assert len(told.strip().splitlines()) == 1


@pytest.mark.parametrize("rate_hz", [1000, 3999, 500_000])
def test_rates_at_which_a_method_does_not_work_are_refused_by_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rate_hz: int
) -> None:
    source = make(tmp_path / "a.wav", 16000, 1)
    content = bytearray(source.read_bytes())
    content[24:28] = rate_hz.to_bytes(4, "little")
    source.write_bytes(content)
    assert call("wiener", source, "-o", tmp_path / "out") == 1
    assert f"wiener works on audio from 4000 to 200000 Hz; this has {rate_hz} Hz" in capsys.readouterr().err


def test_options_may_stand_between_inputs() -> None:
    options = restore.parse(["x", "a.wav", "-o", "out", "b.wav"])
    assert (options.checkpoint, options.inputs) == ("x", ["a.wav", "b.wav"])


def test_help_needs_no_torch() -> None:
    code = (
        "import sys, restore\ntry:\n restore.main(['--help'])\nfinally:\n print('torch' in sys.modules, 'numpy' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(restore.__file__).parent)
    assert "--keep-low-band" in result.stdout
    assert result.stdout.endswith("False False\n")


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
