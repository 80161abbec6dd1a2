"""Recorded noise comes from the folder's files, resampled, from random moments, repeated without a seam."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.corruptions.recordings import NoiseRecordings, loop

RATE_HZ = 8000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def write_sine(path: Path, frequency_hz: float, seconds: float, rate_hz: int = RATE_HZ) -> None:
    time_seconds = np.arange(int(seconds * rate_hz)) / rate_hz
    soundfile.write(path, 0.5 * np.sin(2 * np.pi * frequency_hz * time_seconds), rate_hz)


def strongest_hz(audio: torch.Tensor) -> torch.Tensor:
    return torch.fft.rfft(audio).abs().argmax(-1) * RATE_HZ / audio.shape[-1]


def test_segments_come_from_every_file_at_the_asked_rate(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    write_sine(tmp_path / "high.flac", 1200, 1.0, rate_hz=48000)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.ones(40, dtype=torch.bool), (40, 1, 2000), RATE_HZ, seeded())
    found = strongest_hz(noise).flatten()
    assert set(found.tolist()) == {400.0, 1200.0}
    assert 8 < (found == 400).sum() < 32


def test_channels_of_an_example_get_different_moments_of_one_file(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 5.0)
    write_sine(tmp_path / "high.wav", 1200, 5.0)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.ones(20, dtype=torch.bool), (20, 2, 2000), RATE_HZ, seeded())
    found = strongest_hz(noise)
    assert torch.equal(found[:, 0], found[:, 1])
    assert not torch.allclose(noise[:, 0], noise[:, 1])


def test_unwanted_examples_are_zero_and_do_not_shift_the_draws(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 20_000), RATE_HZ)
    recordings = NoiseRecordings(str(tmp_path))
    every = recordings.draw(torch.tensor([True, True]), (2, 1, 100), RATE_HZ, seeded())
    second = recordings.draw(torch.tensor([False, True]), (2, 1, 100), RATE_HZ, seeded())
    assert torch.equal(second[0], torch.zeros(1, 100))
    assert torch.equal(second[1], every[1])


def test_short_recording_fills_a_long_segment(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 1000), RATE_HZ)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.tensor([True]), (1, 1, 10_000), RATE_HZ, seeded())[0, 0]
    period = 1000 - RATE_HZ // 20
    assert torch.equal(noise[:period], noise[period : 2 * period])
    assert noise.unfold(0, 500, 500).square().mean(1).min() > 0.05


def test_every_part_of_a_long_recording_is_drawn(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "ramp.wav", np.linspace(0, 0.9, 70 * RATE_HZ), RATE_HZ)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.ones(300, dtype=torch.bool), (300, 1, 100), RATE_HZ, seeded())
    counts = torch.histc(noise.mean((1, 2)), 9, 0, 0.9)
    assert counts.min() > 10


def test_only_files_of_the_split_are_used(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    write_sine(tmp_path / "high.wav", 1200, 1.0)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nlow.wav,train\nhigh.wav,test\n")
    noise = NoiseRecordings(str(tmp_path), "train").draw(torch.ones(10, dtype=torch.bool), (10, 1, 2000), RATE_HZ, seeded())
    assert set(strongest_hz(noise).flatten().tolist()) == {400.0}


def test_unknown_split_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nlow.wav,train\n")
    with pytest.raises(ValueError, match=r"noise_split='valid'.*known: train"):
        NoiseRecordings(str(tmp_path), "valid")


def test_split_without_manifest_is_refused(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    with pytest.raises(ValueError, match=r"needs .*MANIFEST\.csv"):
        NoiseRecordings(str(tmp_path), "train")


def test_broken_file_is_named_and_skipped(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    (tmp_path / "broken.wav").write_bytes(b"not audio")
    with caplog.at_level(logging.WARNING):
        recordings = NoiseRecordings(str(tmp_path))
    assert "broken.wav" in caplog.text
    assert recordings.draw(torch.tensor([True]), (1, 1, 10), RATE_HZ, seeded()).shape == (1, 1, 10)


def test_folder_without_audio_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no readable audio file"):
        NoiseRecordings(str(tmp_path))


def test_loop_keeps_noise_power_and_joins_end_to_beginning() -> None:
    noise = np.random.default_rng(0).standard_normal(20_000).astype(np.float32)
    period = loop(noise, 5000)
    assert period.shape == (15_000,)
    assert period[:5000].var() == pytest.approx(1, abs=0.1)
    slow = np.sin(np.arange(1000) * 0.01).astype(np.float32)
    joined = np.tile(loop(slow, 200), 2)
    assert np.abs(np.diff(joined)).max() < 0.03


@pytest.mark.parametrize("length", [1, 2, 3])
def test_tiny_signal_loops(length: int) -> None:
    assert len(loop(np.ones(length, dtype=np.float32), 100)) >= 1
