"""Recorded noise comes from the folder's files, resampled, from random moments, repeated without a seam."""

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.corruptions.recorded.recordings import NoiseRecordings, loop

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
    swelling = np.linspace(0, 0.9, 70 * RATE_HZ) * np.where(np.arange(70 * RATE_HZ) % 2, 1, -1)
    soundfile.write(tmp_path / "swelling.wav", swelling, RATE_HZ)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.ones(300, dtype=torch.bool), (300, 1, 100), RATE_HZ, seeded())
    counts = torch.histc(noise.square().mean((1, 2)).sqrt(), 9, 0, 0.9)
    assert counts.min() > 10


def test_an_offset_of_the_recording_is_no_noise(tmp_path: Path) -> None:
    sine = 0.1 * np.sin(np.arange(2 * RATE_HZ))
    soundfile.write(tmp_path / "offset.wav", np.concatenate([np.full(RATE_HZ, 0.5), sine + 0.5]), RATE_HZ, subtype="FLOAT")
    soundfile.write(tmp_path / "constant.wav", np.full(RATE_HZ, 0.5), RATE_HZ)
    recordings = NoiseRecordings(str(tmp_path))
    assert [sentence.split(": ")[1] for sentence in recordings.skipped] == ["is silent"]
    noise = recordings.draw(torch.ones(20, dtype=torch.bool), (20, 1, 500), RATE_HZ, seeded())
    assert noise.mean(2).abs().max() < 1e-6
    assert noise.std(2).min() > 0.001


def test_only_files_of_the_split_are_used(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    write_sine(tmp_path / "high.wav", 1200, 1.0)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nlow.wav,train\nhigh.wav,test\n", encoding="utf-8")
    noise = NoiseRecordings(str(tmp_path), "train").draw(torch.ones(10, dtype=torch.bool), (10, 1, 2000), RATE_HZ, seeded())
    assert set(strongest_hz(noise).flatten().tolist()) == {400.0}


def test_unknown_split_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nlow.wav,train\n", encoding="utf-8")
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


@pytest.fixture
def split_root(tmp_path: Path) -> Path:
    for number, name in enumerate(("train", "val", "test")):
        write_sine(tmp_path / f"{name}.wav", 400 + 400 * number, 1.0)
    (tmp_path / "MANIFEST.csv").write_text("file,split\ntrain.wav,train\nval.wav,validation\ntest.wav,test\n", encoding="utf-8")
    return tmp_path


def frequencies(recordings: NoiseRecordings) -> set[float]:
    noise = recordings.draw(torch.ones(30, dtype=torch.bool), (30, 1, 2000), RATE_HZ, seeded())
    return set(strongest_hz(noise).flatten().tolist())


def test_matching_serves_each_split_its_own_files(split_root: Path) -> None:
    recordings = NoiseRecordings(str(split_root))
    assert frequencies(recordings) == {400.0, 800.0, 1200.0}
    served = [frequencies(recordings.for_split(split)) for split in ("train", "val", "test")]
    assert served == [{400.0}, {800.0}, {1200.0}]


@pytest.mark.parametrize(("split", "expected"), [("val", {800.0}), ("validation", {800.0}), (None, {400.0, 800.0, 1200.0})])
def test_an_explicit_choice_serves_every_split_alike(split_root: Path, split: str | None, expected: set[float]) -> None:
    recordings = NoiseRecordings(str(split_root), split)
    assert frequencies(recordings.for_split("train")) == frequencies(recordings.for_split("test")) == expected


def test_without_manifest_every_split_uses_all_files(tmp_path: Path) -> None:
    write_sine(tmp_path / "low.wav", 400, 1.0)
    write_sine(tmp_path / "high.wav", 1200, 1.0)
    assert frequencies(NoiseRecordings(str(tmp_path)).for_split("val")) == {400.0, 1200.0}


def test_split_without_recordings_is_refused_with_the_way_out(split_root: Path) -> None:
    (split_root / "val.wav").unlink()
    with pytest.raises(ValueError, match=r"no usable file of split 'val'.*corruption\.noise_split=null"):
        NoiseRecordings(str(split_root)).for_split("val")


def test_files_without_split_are_counted_and_held_out_of_all(split_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_sine(split_root / "unlisted.wav", 2000, 1.0)
    recordings = NoiseRecordings(str(split_root))
    assert "1 files of" in caplog.text
    assert all(2000.0 not in frequencies(recordings.for_split(split)) for split in ("train", "val", "test"))


def damage_the_end(path: Path) -> None:
    """Overwrite frames in the middle of a FLAC file: its header, beginning and end stay good."""
    data = bytearray(path.read_bytes())
    data[len(data) * 4 // 10 : len(data) * 8 // 10] = bytes(len(data) * 8 // 10 - len(data) * 4 // 10)
    path.write_bytes(data)


def test_damage_found_on_decoding_is_named_once_and_the_next_file_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 10 * RATE_HZ)
    soundfile.write(tmp_path / "damaged.flac", noise, RATE_HZ)
    damage_the_end(tmp_path / "damaged.flac")
    write_sine(tmp_path / "whole.wav", 400, 1.0)
    recordings = NoiseRecordings(str(tmp_path))
    assert recordings.skipped == []
    drawn = [recordings.draw(torch.ones(9, dtype=torch.bool), (9, 2, 2000), RATE_HZ, seeded()) for _ in range(2)]
    assert torch.equal(*drawn)
    assert set(strongest_hz(drawn[0]).flatten().tolist()) == {400.0}
    assert len(recordings.skipped) == caplog.text.count("damaged.flac") == 1


def test_nan_in_a_recording_ends_nothing(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, 4 * RATE_HZ)
    audio[3 * RATE_HZ] = np.nan
    soundfile.write(tmp_path / "nan.wav", audio, RATE_HZ, subtype="FLOAT")
    recordings = NoiseRecordings(str(tmp_path))
    with pytest.raises(ValueError, match=r"none of the 1 recordings can be decoded, e\.g\. .*nan\.wav"):
        recordings.draw(torch.tensor([True]), (1, 1, 10), RATE_HZ, seeded())
    write_sine(tmp_path / "whole.wav", 400, 1.0)
    assert frequencies(NoiseRecordings(str(tmp_path))) == {400.0}


def test_silent_recordings_are_named_and_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "silent.wav", np.zeros(3 * RATE_HZ), RATE_HZ)
    write_sine(tmp_path / "whole.wav", 400, 1.0)
    recordings = NoiseRecordings(str(tmp_path))
    assert recordings.skipped == [f"{tmp_path / 'silent.wav'}: is silent"]
    assert frequencies(recordings) == {400.0}


@pytest.mark.parametrize("audible_seconds", [0.01, 1.0])
def test_segments_are_audible_although_most_of_the_recording_is_silent(tmp_path: Path, audible_seconds: float) -> None:
    audio = np.zeros(40 * RATE_HZ)
    audio[-round(audible_seconds * RATE_HZ) :: 2] = 0.2
    soundfile.write(tmp_path / "gaps.wav", audio, RATE_HZ)
    noise = NoiseRecordings(str(tmp_path)).draw(torch.ones(20, dtype=torch.bool), (20, 2, 100), RATE_HZ, seeded())
    assert noise.square().mean(-1).sqrt().min() > 1e-3


def test_links_to_one_recording_are_one_file(tmp_path: Path) -> None:
    write_sine(tmp_path / "noise.wav", 400, 1.0)
    (tmp_path / "link.wav").symlink_to(tmp_path / "noise.wav")
    (tmp_path / "._noise.wav").write_bytes(b"resource fork")
    recordings = NoiseRecordings(str(tmp_path))
    assert len(recordings._files) == 1 and recordings.skipped == []
