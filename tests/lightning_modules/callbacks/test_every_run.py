"""Callbacks that a configuration adds to those of every run."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from pytorch_lightning.callbacks import EarlyStopping

from conf.settings import TrainSettings
from lightning_modules.callbacks.every_run import run_callbacks
from lightning_modules.callbacks.profiler import BatchProfiler
from lightning_modules.commands.train import added_callbacks, train

TINY_NET = ["model=unet_small", "model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "examples=0"]


def test_group_adds_and_what_runs_stays(tmp_path: Path) -> None:
    added = EarlyStopping("val/lsd")
    without, beside = (run_callbacks(tmp_path, 0, "val/lsd", "min", 0.9, None, more) for more in ([], [added]))
    assert added in beside
    assert [type(callback) for callback in beside if callback is not added] == [type(callback) for callback in without]


def test_profiler_and_device_statistics_leave_their_files(train_config: Callable[..., TrainSettings], tmp_path: Path) -> None:
    profiled = ["callbacks.profiler.first_batch=1", "callbacks.profiler.batches=1", "trainer.max_epochs=1"]
    statistics = ["trainer.log_every_n_steps=1", "callbacks=[profiler,device_stats]"]
    train(train_config(*TINY_NET, *statistics, *profiled))
    assert "aten::" in (tmp_path / "run" / "profile.txt").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "run" / "profile.json").read_text(encoding="utf-8"))["traceEvents"]
    (curves,) = (tmp_path / "run" / "csv").rglob("metrics.csv")
    assert "cpu_percent" in curves.read_text(encoding="utf-8").splitlines()[0]


def test_profiler_that_meets_a_short_epoch_writes_what_it_saw(train_config: Callable[..., TrainSettings], tmp_path: Path) -> None:
    short = ["callbacks=profiler", "callbacks.profiler.first_batch=0", "callbacks.profiler.batches=100", "trainer.max_epochs=1"]
    train(train_config(*TINY_NET, *short))
    assert (tmp_path / "run" / "profile.txt").is_file()


@pytest.mark.parametrize(("first", "batches"), [(-1, 1), (0, 0), (0.5, 1)])
def test_profiler_refuses_what_are_no_batches(first: int, batches: int) -> None:
    with pytest.raises(ValueError, match="callbacks.profiler.first_batch"):
        BatchProfiler("x", first, batches)


def test_what_is_no_callback_is_named_before_there_is_a_folder(
    train_config: Callable[..., TrainSettings], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="callbacks.odd"):
        train(train_config(*TINY_NET, "+callbacks.odd={_target_:models.layers.stft.STFT}"))
    assert not (tmp_path / "run").exists()
    with pytest.raises(ValueError, match="callbacks.odd is a str, not a callback"):
        added_callbacks({"callbacks": {"odd": "early_stopping"}})
