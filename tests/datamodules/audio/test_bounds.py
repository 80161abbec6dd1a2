"""A file that is larger than what is taken is refused with what it has."""

from pathlib import Path

import numpy as np
import pytest

from datamodules.audio.bounds import Bounds
from datamodules.audio.io import AudioFileError, AudioInfo, probe, write

RATE_HZ = 8000


def info(folder: Path, channels: int = 1, seconds: float = 2.0) -> AudioInfo:
    path = folder / "a.wav"
    write(path, np.zeros((channels, round(seconds * RATE_HZ))), RATE_HZ)
    return probe(path)


def test_file_within_its_bounds_is_taken(tmp_path: Path) -> None:
    source = info(tmp_path)
    Bounds(megabytes=source.path.stat().st_size / 1e6, seconds=2.0).check(source)
    assert source.frames == 16000


@pytest.mark.parametrize(
    ("bounds", "channels", "reason"),
    [
        (Bounds(0.03, 2.0), 1, "has 0.0 MB; at most 0.03 MB are taken here"),
        (Bounds(1.0, 1.5), 1, "lasts 2.0 s; at most 1.5 s are taken here"),
        (Bounds(1.0, 2.0), 13, "13 channels at 8000 Hz have as many samples as 2.2 s of stereo at 48 kHz; at most 2 s of that"),
    ],
)
def test_larger_one_is_refused_with_what_it_has(tmp_path: Path, bounds: Bounds, channels: int, reason: str) -> None:
    with pytest.raises(AudioFileError, match=reason):
        bounds.check(info(tmp_path, channels))
