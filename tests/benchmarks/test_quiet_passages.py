"""What a method leaves as it is, is as far from the clean sound behind a louder one as alone."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.quiet_passages import excerpt, rows


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("quiet") / "tone.wav"
    time = np.arange(6 * 8000) / 8000
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * 440 * time), 8000, subtype="FLOAT")
    return str(path)


def test_a_method_that_changes_nothing_has_the_same_row_alone_and_behind(recording: str) -> None:
    alone, behind = rows("sinc", [recording], 8000)
    assert len(alone) == 1 + 8
    np.testing.assert_allclose(behind, alone, atol=0.01)
    np.testing.assert_allclose(alone, 5.0, atol=0.3)


def test_an_excerpt_is_brought_to_the_rate_and_a_short_file_is_named(recording: str, tmp_path: Path) -> None:
    assert excerpt(recording, 16000).shape == (1, 1, 64000)
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(8000), 8000)
    with pytest.raises(SystemExit, match=r"short.wav: lasts 1.0 s; 4 are needed"):
        excerpt(str(short), 16000)
