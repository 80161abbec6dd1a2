"""The bytes of a code are counted for real, and a song in mono is refused."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from benchmarks.stereo_rates import autoencoder_rows, codec_rows, coded_bytes

ROOT = Path(__file__).resolve().parents[2]


def test_a_code_of_more_steps_takes_more_bytes() -> None:
    code = torch.rand(2, 4000, generator=torch.Generator().manual_seed(0))
    sizes = [coded_bytes((code / step).round() * step, step) for step in (0.5, 0.05)]
    assert 1400 < sizes[0] < 1700  # 0, 1 and 2 with shares 1/4, 1/2, 1/4: 1.5 bits each, of 8,000 numbers
    assert sizes[0] < sizes[1] < 8000 * np.log2(21) / 8 + 500


def test_rows_have_a_rate_that_falls_with_the_step() -> None:
    song = 0.1 * torch.randn(2, 44100, generator=torch.Generator().manual_seed(0))
    rows = [row.split(" | ") for row in autoencoder_rows(song, song[:, :2000], 44100, steps=1)]
    rates = [float(row[1]) for row in rows[:5]]
    assert len(rows) == 24 and rates == sorted(rates, reverse=True)


def test_rate_of_a_constant_codec_is_the_one_asked_for() -> None:
    song = 0.1 * torch.randn(2, 4 * 44100, generator=torch.Generator().manual_seed(0))
    rows = {row.split(" | ")[0]: row.split(" | ") for row in codec_rows(song, 44100)}
    assert float(rows["| mp3 128"][1]) == pytest.approx(128, rel=0.03)


def test_mono_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.wav", np.zeros(8000), 8000)
    script = ROOT / "benchmarks" / "stereo_rates.py"
    refused = subprocess.run([sys.executable, script, tmp_path / "mono.wav"], capture_output=True, text=True, encoding="utf-8")
    assert refused.returncode == 1 and "has 1 channels; a song in stereo is needed" in refused.stderr
