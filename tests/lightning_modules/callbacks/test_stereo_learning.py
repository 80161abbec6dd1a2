"""What a training was seen to learn of mid and side: step by step, over a kill, into files and trackers."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn

from conf.settings import TrainSettings
from lightning_modules.callbacks.stereo_learning import StereoLearning
from lightning_modules.commands.train import train

RATE_HZ = 8000
Config = Callable[..., TrainSettings]
TINY = ["experiment=stereo_autoencoder", "model.net.code_channels=8", "model.net.hidden_channels=8", "data.batch_size=4"]


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of one song of 12 seconds, whose side is 20 dB below its mid."""
    folder, random = tmp_path_factory.mktemp("song"), np.random.default_rng(0)
    mid, side = (0.2 * np.convolve(random.standard_normal(12 * RATE_HZ), np.hanning(16) / 4, "same") for _ in range(2))
    soundfile.write(folder / "song.wav", np.stack([mid + 0.1 * side, mid - 0.1 * side], axis=1), RATE_HZ)
    return folder


def settings(config: Config, song: Path, *more: str) -> TrainSettings:
    data = [f"data.root={song}", f"data.sample_rate={RATE_HZ}", "data.samples_per_epoch=12", "data.eval_seconds=0.5"]
    return config(*TINY, *data, "data.window_samples=256", "trainer.max_epochs=2", "examples=0", *more)


def lines(folder: Path) -> list[dict[str, str]]:
    with (folder / "learning.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_run_leaves_table_curves_and_animation_and_tells_its_tracker(train_config: Config, song: Path, tmp_path: Path) -> None:
    result = train(settings(train_config, song, "logger=tensorboard"))
    folder, rows = tmp_path / "run", lines(tmp_path / "run")
    assert result["problems"] == []
    assert [int(row["step"]) for row in rows] == [*range(7)]
    assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["learning"] == {
        "step": 6,
        "mid_snr_db": float(rows[-1]["mid_snr_db"]),
        "side_snr_db": float(rows[-1]["side_snr_db"]),
    }
    with Image.open(folder / "learning.gif") as animation:
        assert animation.n_frames == 4  # after 0, 2, 4 and 6 steps
    with Image.open(folder / "learning.png") as picture:
        assert picture.width > picture.height
    written = [EventAccumulator(str(path)).Reload() for path in (folder / "tensorboard").rglob("events.out*")]
    (accumulator,) = (events for events in written if events.Tags()["images"])
    (image,) = accumulator.Images("pictures/learning_animation")
    assert image.encoded_image_string == (folder / "learning.gif").read_bytes()
    assert accumulator.Images("pictures/learning")


def test_run_that_goes_on_has_all_of_its_steps(train_config: Config, song: Path, tmp_path: Path) -> None:
    train(settings(train_config, song, f"run_dir={tmp_path / 'whole'}"))
    train(settings(train_config, song, "trainer.max_epochs=1"))
    train(settings(train_config, song, f"resume={tmp_path / 'run'}"))
    assert lines(tmp_path / "run") == lines(tmp_path / "whole")


def test_mid_and_side_are_the_same_in_either_layout_of_the_data(train_config: Config, song: Path, tmp_path: Path) -> None:
    train(settings(train_config, song))
    there = [f"run_dir={tmp_path / 'turned'}", "data.channel_layout=mid_side", "trainer.max_epochs=1"]
    train(settings(train_config, song, *there))
    before = [float(lines(tmp_path / name)[0]["mid_snr_db"]) for name in ("run", "turned")]
    assert all(-3 < level < 3 for level in before)  # an untrained network's output is small beside mid


class Mono:
    """Data of one channel."""

    sample_rate, channel_layout = RATE_HZ, "left_right"

    def val_dataloader(self) -> SimpleNamespace:
        return SimpleNamespace(dataset=[{"clean": torch.zeros(1, 8)}])


def test_mono_is_refused_by_its_key(train_config: Config, song: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.channels=1 must be 2, as many as model\.net takes"):
        train(settings(train_config, song, "data.channels=1"))
    with pytest.raises(ValueError, match=r"callbacks=stereo_learning needs data\.channels=2; this is 1"):
        StereoLearning().on_train_start(SimpleNamespace(datamodule=Mono()), nn.Identity())  # type: ignore[arg-type]


def test_frames_are_a_multiple_of_looks() -> None:
    with pytest.raises(ValueError, match="frame_every_steps=3 must be a multiple of every_steps=2"):
        StereoLearning(every_steps=2, frame_every_steps=3)
