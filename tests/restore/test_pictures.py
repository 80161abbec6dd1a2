"""Pictures beside results: of each file that was restored, in its place, and none that was not asked for."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.image import imread
from torch import Tensor

from datamodules.audio.io import probe, write
from datamodules.audio.part import Part
from datamodules.audio.tree import plan_jobs
from lightning_modules.commands import picturing
from tests.restore.conftest import call, make


def test_result_gets_a_picture_beside_it(
    tmp_path: Path, use: Callable[[Callable[[Tensor], Tensor]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    use(lambda signal: 0.001 * signal)
    make(tmp_path / "in" / "a b.wav")
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF")
    assert call("quieter", tmp_path / "in", "-o", tmp_path / "out", "--pictures") == 1
    picture = tmp_path / "out" / "a b.wav.png"
    assert f"drew {picture}" in capsys.readouterr().out.splitlines()
    upper, lower = np.array_split(imread(picture)[:, 100:700, :3].mean(axis=(1, 2)), 2)
    assert upper.mean() > lower.mean() + 0.1  # what is 60 dB quieter is darker
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a b.wav", "a b.wav.png"]


def test_no_picture_unless_asked_for(tmp_path: Path, checkpoint: str) -> None:
    make(tmp_path / "a.wav")
    assert call(checkpoint, tmp_path / "a.wav", "-o", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.wav"]


def test_picture_that_cannot_be_written_is_told_and_the_result_stays(
    tmp_path: Path, checkpoint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path / "a.wav")
    (tmp_path / "out" / "a.wav.png").mkdir(parents=True)
    assert call(checkpoint, tmp_path / "a.wav", "-o", tmp_path / "out", "--pictures") == 1
    assert "no picture: " in capsys.readouterr().err
    assert soundfile.info(tmp_path / "out" / "a.wav").frames == 30011


def test_picture_shows_what_was_restored_of_a_long_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The two signals are those from --start on, as long as each other, and bounded in samples of all channels."""
    ramp = np.linspace(-0.5, 0.5, 8000)
    write(tmp_path / "a.wav", np.stack([ramp, ramp]), 8000, subtype="FLOAT")
    ((job,), _) = plan_jobs([tmp_path / "a.wav"], tmp_path / "out", part=Part(0.25, 0.5))
    (tmp_path / "out").mkdir()
    write(job.output, np.stack([ramp, ramp])[:, 2000:6000], 8000, subtype="FLOAT")
    shown: list[dict[str, Tensor]] = []
    monkeypatch.setattr(picturing, "save_spectrograms", lambda path, signals, rate_hz, title: shown.append(signals))
    monkeypatch.setattr(picturing, "PICTURED_VALUES", 3000)
    assert picturing.save_picture(job) == tmp_path / "out" / "a.wav.png"
    assert [signal.shape for signal in shown[0].values()] == [(2, 1500), (2, 1500)]
    assert (shown[0]["before"] == shown[0]["restored"]).all()
    assert probe(job.output).frames == 4000
