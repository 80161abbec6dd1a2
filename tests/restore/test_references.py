"""Noise that was recorded beside a file, in a file of its own, is taken out of it; what does not fit is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.audio.io import read, write
from models.classical.noise_canceller import NoiseCanceller
from tests.restore.conftest import call

RATE_HZ = 8000
TONE = 0.1 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE_HZ) / RATE_HZ)
NOISE = 0.1 * np.random.default_rng(0).standard_normal((2, 4 * RATE_HZ))


def put(path: Path, *channels: np.ndarray, rate_hz: int = RATE_HZ) -> Path:
    path.parent.mkdir(exist_ok=True)
    write(path, np.stack(channels), rate_hz, subtype="FLOAT")
    return path


def cancelled(recording: np.ndarray, reference: np.ndarray) -> np.ndarray:
    pair = torch.from_numpy(np.stack([recording, reference]))[None].float()
    return NoiseCanceller(RATE_HZ)(pair)[0, 0].numpy()


def test_a_file_is_restored_by_its_reference_as_by_a_second_channel(tmp_path: Path) -> None:
    source, noise = put(tmp_path / "a.wav", TONE + NOISE[0]), put(tmp_path / "noise.wav", NOISE[0])
    assert call("anc", source, "-o", tmp_path / "out", "--reference", noise) == 0
    restored = read(tmp_path / "out" / "a.wav")
    assert restored.shape == (1, len(TONE))
    np.testing.assert_allclose(restored[0], cancelled(TONE + NOISE[0], NOISE[0]), atol=1e-5)
    assert np.square(restored[0] - TONE).mean() < 0.1 * np.square(NOISE[0]).mean()


@pytest.mark.parametrize("heard", [(0, 1), (0, 0)])
def test_every_channel_has_its_own_reference_or_all_have_one(tmp_path: Path, heard: tuple[int, int]) -> None:
    channels = [TONE + NOISE[0], 0.5 * TONE + NOISE[heard[1]]]
    references = [NOISE[channel] for channel in sorted(set(heard))]
    source, folder = put(tmp_path / "a.wav", *channels), tmp_path / "references"
    put(folder / "a.wav", *references)
    assert call("anc", source, "-o", tmp_path / "out", "--reference", folder) == 0
    wanted = [cancelled(channel, NOISE[number]) for channel, number in zip(channels, heard, strict=True)]
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav"), wanted, atol=1e-5)


def test_what_does_not_fit_is_named_and_the_others_are_restored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inputs, references = tmp_path / "in", tmp_path / "references"
    for name in ("alone", "fits", "long", "rate", "three"):
        put(inputs / f"{name}.wav", TONE)
    put(references / "fits.wav", NOISE[0])
    put(references / "long.wav", np.append(NOISE[0], 0.0))
    put(references / "rate.wav", NOISE[0], rate_hz=16000)
    put(references / "three.wav", *NOISE, TONE)
    assert call("anc", inputs, "-o", tmp_path / "out", "--reference", references) == 1
    told = capsys.readouterr().err
    assert f"alone.wav: has no reference of its name in {references}" in told
    assert "has 32000 samples, and its reference" in told and "has 32001; both must be the same" in told
    assert "has 8000 Hz, and its reference" in told and "has 16000; both must be the same" in told
    assert "has 3 channels, and this file has 1; it must have as many, or one" in told
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["fits.wav"]


def test_a_method_that_takes_no_reference_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = put(tmp_path / "a.wav", TONE)
    assert call("wiener", source, "-o", tmp_path / "out", "--reference", source) == 2
    assert "wiener takes no recording of the noise; anc does" in capsys.readouterr().err
    assert call("anc", source, "-o", tmp_path / "out", "--reference", tmp_path / "none.wav") == 2
    assert "none.wav: no such file or folder" in capsys.readouterr().err


def test_a_part_of_a_file_hears_that_part_of_its_reference(tmp_path: Path) -> None:
    source, noise = put(tmp_path / "a.wav", TONE + NOISE[0]), put(tmp_path / "noise.wav", NOISE[0])
    assert call("anc", source, "-o", tmp_path / "out", "--reference", noise, "--start", 1, "--seconds", 2) == 0
    whole = cancelled(TONE + NOISE[0], NOISE[0])
    np.testing.assert_allclose(read(tmp_path / "out" / "a.wav")[0], whole[RATE_HZ : 3 * RATE_HZ], atol=1e-5)
