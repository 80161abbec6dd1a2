"""A part of a file is restored to what it is in the whole file restored, and only the part is written."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.audio.io import write
from lightning_modules.base import RestorationModule
from models.streaming.chunking import Chunking, lead_in
from models.unet import UNet
from tests.restore.conftest import MODEL, call, make

SECONDS = 40


@pytest.fixture
def trained(tmp_path: Path) -> str:
    """Return the checkpoint of a network that changes what it gets."""
    module = RestorationModule(UNet(depth=2, channels=[4, 4], kernels=[9, 9], dropout=0.0), 16000)
    draw = torch.Generator().manual_seed(0)
    state = {name: 0.3 * torch.randn(value.shape, generator=draw) for name, value in module.state_dict().items()}
    torch.save({"model_config": MODEL, "state_dict": state}, tmp_path / "a.ckpt")
    return str(tmp_path / "a.ckpt")


def noisy(path: Path, rate_hz: int, channels: int = 1) -> Path:
    draw = np.random.default_rng(0)
    time = np.arange(SECONDS * rate_hz) / rate_hz
    tone = 0.2 * np.sin(2 * np.pi * (300 + 20 * time) * time) * (1 + np.sin(time))
    write(path, np.stack([tone] * channels) + 0.02 * draw.standard_normal((channels, len(time))), rate_hz, subtype="FLOAT")
    return path


def difference_db(tmp_path: Path, method: str, source: Path, start: float, seconds: float | None) -> float:
    """Restore whole and in part, and return how far the part is from its place in the whole, relative to what was done to it."""
    rate_hz, length = soundfile.info(source).samplerate, [] if seconds is None else ["--seconds", seconds]
    assert call(method, source, "-o", tmp_path / "whole") == 0
    assert call(method, source, "-o", tmp_path / "part", "--start", start, *length) == 0
    first, last = round(start * rate_hz), None if seconds is None else round(start * rate_hz) + round(seconds * rate_hz)
    whole = soundfile.read(tmp_path / "whole" / source.name)[0][first:last]
    part = soundfile.read(tmp_path / "part" / source.name)[0]
    assert part.shape == whole.shape
    done = whole - soundfile.read(source)[0][first:last]
    assert np.sqrt(np.mean(done**2)) > 1e-3
    return float(20 * np.log10(max(np.abs(part - whole).max(), 1e-12) / np.sqrt(np.mean(done**2))))


@pytest.mark.parametrize(
    ("rate_hz", "start", "seconds"), [(16000, 21.3, 2.0), (44100, 17.77, 3.0), (22050, 0, 1.5), (16000, 33, None)]
)
def test_part_of_a_network_is_that_of_the_whole(
    tmp_path: Path, trained: str, rate_hz: int, start: float, seconds: float | None
) -> None:
    assert difference_db(tmp_path, trained, noisy(tmp_path / "a.wav", rate_hz), start, seconds) < -80


@pytest.mark.parametrize(("start", "seconds"), [(18.0, 2.0), (30.5, 1.0), (39.0, 1.0)])
def test_part_of_a_method_on_segments_is_that_of_the_whole(tmp_path: Path, start: float, seconds: float) -> None:
    assert difference_db(tmp_path, "wiener", noisy(tmp_path / "a.wav", 16000, channels=2), start, seconds) < -80


def test_part_of_many_channels(tmp_path: Path, trained: str) -> None:
    assert difference_db(tmp_path, trained, noisy(tmp_path / "a.wav", 48000, channels=6), 20, 0.5) < -80


def test_files_that_lack_the_part_are_named_and_the_others_restored(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "in" / "long.wav", 16000, samples=64_000), make(tmp_path / "in" / "short.wav", 16000, samples=32_000)
    assert call(checkpoint, tmp_path / "in", "-o", tmp_path / "out", "--start", 1, "--seconds", 2) == 1
    assert soundfile.info(tmp_path / "out" / "long.wav").frames == 32_000
    assert not (tmp_path / "out" / "short.wav").exists()
    told = capsys.readouterr().err
    assert "short.wav" in told and "ends before --start 1 --seconds 2: it lasts 2 s" in told


def test_part_keeps_every_bit_where_nothing_changes(tmp_path: Path, checkpoint: str) -> None:
    source = make(tmp_path / "a.flac", 44100, samples=100_000)
    assert call(checkpoint, source, "-o", tmp_path / "out", "--start", 0.5, "--seconds", 1) == 0
    expected = soundfile.read(source, dtype="int16")[0][22_050:66_150]
    np.testing.assert_array_equal(soundfile.read(tmp_path / "out" / "a.flac", dtype="int16")[0], expected)


@pytest.mark.parametrize("given", [["--start", "-1"], ["--seconds", "x"]])
def test_impossible_seconds_are_bad_usage(tmp_path: Path, checkpoint: str, given: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call(checkpoint, make(tmp_path / "a.wav"), "-o", tmp_path / "out", *given)


@pytest.mark.parametrize(("method_hz", "signal_hz"), [(16000, 16000), (16000, 44100), (10000, 48000)])
def test_lead_in_starts_a_chunk_on_a_whole_sample_of_both_rates(method_hz: int, signal_hz: int) -> None:
    chunking = Chunking(8000, 500, 100, grid_samples=4)
    for start in range(0, 60 * signal_hz, 12_345):
        first = lead_in(chunking, method_hz, signal_hz, start)
        assert first * method_hz % signal_hz == 0
        chunk, left_over = divmod(first * method_hz // signal_hz, chunking.hop_samples)
        assert left_over == 0
        assert chunk == 0 or (chunk + 1) * chunking.hop_samples + chunking.overlap_samples <= start * method_hz // signal_hz
