"""Spectrogram pictures show the level and the place they should."""

from pathlib import Path

import pytest
import torch

from lightning_modules.runs.figures import save_curves, spectrogram_db


def test_full_scale_sine_reads_0_db_at_its_frequency() -> None:
    time = torch.arange(16000) / 16000
    picture = spectrogram_db(torch.sin(2 * torch.pi * 1000 * time)[None])
    middle = picture[:, picture.shape[1] // 2]
    assert int(middle.argmax()) == 1000 * 1024 // 16000
    assert middle.max().item() == pytest.approx(0.0, abs=0.05)


def test_silence_and_short_signals_are_finite() -> None:
    assert spectrogram_db(torch.zeros(2, 10)).isfinite().all()


@pytest.mark.parametrize("points", [2, 101])
def test_curves_become_a_picture(tmp_path: Path, points: int) -> None:
    save_curves(tmp_path / "a.png", {"lsd": [1.0] * points, "si_sdr_db": list(range(points))}, "step")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
