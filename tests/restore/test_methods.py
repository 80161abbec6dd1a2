"""Files come back as what they were, restored as far as was asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.audio.io import read, write
from lightning_modules.base import RestorationModule
from lightning_modules.stepwise import StepSized, Stepwise
from tests.restore.conftest import Custom, call, make


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
