from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

WriteNoise = Callable[..., Path]


@pytest.fixture
def write_noise() -> WriteNoise:
    """Write seeded noise at -20 dBFS RMS to a file, making its folder."""

    def write(
        path: Path, seconds: float = 1.0, sample_rate: int = 8000, channels: int = 1, seed: int = 0, subtype: str = "PCM_16"
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = 0.1 * np.random.default_rng(seed).standard_normal((round(seconds * sample_rate), channels))
        soundfile.write(path, noise, sample_rate, subtype=subtype)
        return path

    return write


@pytest.fixture
def broken_files() -> Callable[[Path], set[str]]:
    """Write one file of each kind of damage into a folder and return their names."""

    def write(folder: Path) -> set[str]:
        folder.mkdir(parents=True, exist_ok=True)
        noise = 0.1 * np.random.default_rng(1).standard_normal(8000)
        (folder / "empty.wav").touch()
        (folder / "text.wav").write_text("this is not audio", encoding="utf-8")
        soundfile.write(folder / "no_samples.wav", noise[:0], 8000)
        soundfile.write(folder / "whole.flac", noise, 8000)
        data = (folder / "whole.flac").read_bytes()
        (folder / "truncated.flac").write_bytes(data[: len(data) // 2])
        (folder / "whole.flac").rename(folder / "flac_named.wav")
        return {"empty.wav", "text.wav", "no_samples.wav", "truncated.flac", "flac_named.wav"}

    return write
