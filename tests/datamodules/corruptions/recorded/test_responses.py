"""Recorded responses: where their direct sound is put, which files serve a split, and which cannot be used."""

from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.corruptions.recorded.responses import RecordedResponses, align

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_smeared_direct_sound_has_the_energy_of_a_unit_impulse() -> None:
    response = np.zeros(1000, dtype=np.float32)
    response[100:120] = 0.5 * np.hanning(22)[1:-1]
    response[600] = 0.1
    aligned = align(response, 16)
    assert np.sum(np.square(aligned[: 16 + 41])) == pytest.approx(1, rel=1e-5)
    assert aligned.max() < 0.5


def test_alignment_prefers_the_direct_sound_to_a_louder_reflection() -> None:
    response = np.zeros(400, dtype=np.float32)
    response[[50, 52, 300]] = [0.5, -0.7, 0.9]
    aligned = align(response, 16)
    level = np.hypot(0.5, 0.7)
    assert aligned[[14, 16, 16 + 248]] == pytest.approx([-0.5 / level, 0.7 / level, -0.9 / level])
    assert align(response[52:], 16)[16] == 1


def test_split_chooses_the_recorded_responses(rir_root: Path) -> None:
    short, direct = RecordedResponses(str(rir_root), "test").draw(4, RATE_HZ, seeded())
    both, _ = RecordedResponses(str(rir_root)).draw(16, RATE_HZ, seeded())
    for drawn in (short, both):
        assert drawn.abs().argmax(dim=1).eq(direct).all()
        torch.testing.assert_close(drawn[:, : direct + 41].square().sum(dim=1), torch.ones(len(drawn)))
    assert len(torch.unique(short[:, direct + 5])) == 2 and len(torch.unique(both[:, direct + 5])) == 4


def test_broken_recordings_are_named_and_left_out(rir_root: Path, caplog: pytest.LogCaptureFixture) -> None:
    (rir_root / "broken.wav").write_bytes(b"nothing")
    RecordedResponses(str(rir_root))
    assert "broken.wav" in caplog.text


def test_missing_recordings_are_refused(rir_root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    with pytest.raises(ValueError, match="rir_root='/nowhere' is not a folder"):
        RecordedResponses("/nowhere")
    with pytest.raises(ValueError, match="holds no readable audio"):
        RecordedResponses(str(empty))
    with pytest.raises(ValueError, match="rir_split='val' is not in .*known: test, train"):
        RecordedResponses(str(rir_root), "val")
    with pytest.raises(ValueError, match="rir_split='val' needs .*MANIFEST.csv"):
        RecordedResponses(str(empty), "val")
