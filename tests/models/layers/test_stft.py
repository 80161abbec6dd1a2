"""The one short-time transform against NumPy's, its inverse, and where its edges differ."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from models.layers import stft

ROOT = Path(__file__).parents[3]
CALL = re.compile(r"torch\.i?stft\(")
HOP, FRAME = 4, 16
WINDOW = torch.hann_window(FRAME, dtype=torch.float64)


def noise(samples: int) -> Tensor:
    return torch.randn(2, samples, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("samples", [1, 2, 5, 40])
def test_mirror_images_go_on_where_a_signal_is_short(samples: int) -> None:
    expected = np.pad(noise(samples).numpy(), ((0, 0), (17, 30)), mode="reflect")
    np.testing.assert_array_equal(stft.mirrored(noise(samples), before=17, after=30).numpy(), expected)


@pytest.mark.parametrize(("edges", "mode"), [("reflected", "reflect"), ("silent", "constant"), ("bare", None)])
def test_spectra_are_those_of_windowed_frames(edges: stft.Edges, mode: str | None) -> None:
    signal = noise(45)
    around = signal.numpy() if mode is None else np.pad(signal.numpy(), ((0, 0), (FRAME // 2, FRAME // 2)), mode=mode)
    frames = [around[:, start : start + FRAME] * WINDOW.numpy() for start in range(0, around.shape[1] - FRAME + 1, HOP)]
    expected = np.stack([np.fft.rfft(frame) for frame in frames], axis=-1)
    np.testing.assert_allclose(stft.analyze(signal, WINDOW, HOP, edges).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("edges", ["reflected", "silent"])
@pytest.mark.parametrize("samples", [16, 45, 64])
def test_synthesis_undoes_the_analysis(edges: stft.Edges, samples: int) -> None:
    signal = stft.filled_to_frame(noise(samples), 48)
    restored = stft.synthesize(stft.analyze(signal, WINDOW, HOP, edges), WINDOW, HOP, signal.shape[-1])
    torch.testing.assert_close(restored, signal)


def test_short_signals_end_in_silence_and_long_ones_stay() -> None:
    assert torch.equal(stft.filled_to_frame(torch.ones(1, 2), 4), torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
    assert torch.equal(stft.filled_to_frame(torch.ones(1, 5), 4), torch.ones(1, 5))


def test_nobody_else_transforms_for_itself() -> None:
    folders = ("datamodules", "lightning_modules", "machine", "models", "sweeps")
    users = [
        path.name for folder in folders for path in (ROOT / folder).rglob("*.py") if CALL.search(path.read_text(encoding="utf-8"))
    ]
    assert users == ["stft.py"]
