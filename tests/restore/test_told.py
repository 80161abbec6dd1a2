"""What a person is told: bands, clipping, formats, and wrong command lines."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import restore
from datamodules.audio.io import read, write
from lightning_modules.base import RestorationModule
from tests.restore.conftest import Custom, call, make


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
    assert capsys.readouterr().err.startswith("error: nothing: no such checkpoint, run folder, shipped model (")


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
