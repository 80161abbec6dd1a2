"""What several tests of the corruptions share."""

from pathlib import Path

import numpy as np
import pytest
import soundfile


@pytest.fixture
def rir_root(tmp_path: Path) -> Path:
    """Return a folder of two stereo room responses, a hall for training and a booth for testing."""
    generator = np.random.default_rng(0)
    for name, rate_hz, delay in (("hall.wav", 16000, 100), ("booth.flac", 48000, 3)):
        response = 0.05 * generator.standard_normal((rate_hz // 4, 2)) * np.exp(-np.arange(rate_hz // 4) / 500)[:, None]
        response[:delay] = 0
        response[delay] = 0.8
        soundfile.write(tmp_path / name, response, rate_hz)
    (tmp_path / "MANIFEST.csv").write_text("file,split\nhall.wav,train\nbooth.flac,test\n", encoding="utf-8")
    return tmp_path
