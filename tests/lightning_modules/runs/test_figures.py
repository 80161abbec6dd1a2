"""Spectrogram pictures show the level and the place they should."""

import math
from pathlib import Path

import pytest
import torch
from matplotlib.figure import Figure
from matplotlib.text import Text

from lightning_modules.runs.figures import Curve, limits, overview_db, save_curves, save_spectrograms, spectrogram_db


def test_full_scale_sine_reads_0_db_at_its_frequency() -> None:
    time = torch.arange(16000) / 16000
    picture = spectrogram_db(torch.sin(2 * torch.pi * 1000 * time)[None])
    middle = picture[:, picture.shape[1] // 2]
    assert int(middle.argmax()) == 1000 * 1024 // 16000
    assert middle.max().item() == pytest.approx(0.0, abs=0.05)


def test_silence_and_short_signals_are_finite() -> None:
    assert spectrogram_db(torch.zeros(2, 10)).isfinite().all()


def test_overview_of_a_short_signal_has_all_frames() -> None:
    signal = torch.randn(2, 9000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(overview_db(signal), spectrogram_db(signal))


def test_overview_of_a_long_signal_has_few_columns_with_its_level_in_place() -> None:
    sine = torch.tensor([1.0, 0.0, -1.0, 0.0]).repeat(1, 3 * 4096 * 64)  # at a quarter of the rate
    sine[:, : sine.shape[1] // 2] *= 0.1
    row = overview_db(sine)[256]
    assert 3000 < len(row) <= 4096
    assert torch.allclose(row[: len(row) // 2 - 4], torch.tensor(-20.0), atol=2.0)
    assert torch.allclose(row[len(row) // 2 + 4 :], torch.tensor(0.0), atol=2.0)


@pytest.mark.parametrize("points", [2, 101])
def test_curves_become_a_picture(tmp_path: Path, points: int) -> None:
    curves = [Curve([1.0] * points, "distance", "", 0.2), Curve([*range(points)], "ratio", "dB", 1.0)]
    save_curves(tmp_path / "a.png", curves, "step")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_small_change_stays_small_and_a_large_one_fits() -> None:
    low, high = limits(Curve([5.0, 5.01], "ratio", "dB", 1.0)) or (0, 0)
    assert high - low == pytest.approx(1.0)
    assert low < 5.0 < 5.01 < high
    low, high = limits(Curve([math.nan, 5.0, 25.0], "ratio", "dB", 1.0)) or (0, 0)
    assert low < 5.0 < 25.0 < high < 30.0
    assert limits(Curve([math.nan], "ratio", "dB", 1.0)) is None


def test_spectrograms_name_recording_and_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: drawn.append(figure))
    save_spectrograms(tmp_path / "a.png", {"clean": torch.zeros(1, 4000)}, 4000, "song\nratio: 5 dB")
    words = [text.get_text() for text in drawn[0].findobj(Text)]
    assert {"song\nratio: 5 dB", "clean\nfrequency (kHz)", "time (s)", "level (dB re a full-scale sine)"} <= set(words)
