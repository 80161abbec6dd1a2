"""Weights & Biases gets everything, and a server that does not answer costs a few seconds at most."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wandb
from pytorch_lightning.loggers import CSVLogger

from lightning_modules.runs import tracking
from lightning_modules.runs.tracking import close_loggers, open_wandb, tracker_of


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_MODE", "online")  # Lightning leaves its own value behind after an offline run
    wandb.teardown()
    yield {"project": "clarion", "name": "n", "id": "abc12345", "save_dir": tmp_path, "resume": "allow"}
    wandb.finish()


def test_unreachable_server_means_offline_soon(
    options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracking, "START_SECONDS", 2)
    started = time.monotonic()
    logger = open_wandb(**options)
    assert time.monotonic() - started < 30
    assert "cannot be reached" in caplog.text
    logger.log_metrics({"val/snr_db": 1.0})
    close_loggers([logger], 0)
    assert list(tmp_path.glob("wandb/offline-run-*-abc12345/*.wandb"))


def test_outage_holds_up_neither_start_nor_end_for_long(options: dict[str, Any]) -> None:
    settings = open_wandb(**options, offline=True).experiment.settings
    assert (settings.init_timeout, settings.finish_timeout, settings.finish_timeout_raises) == (15, 30, False)


def test_start_offline_prints_nothing(options: dict[str, Any], capfd: pytest.CaptureFixture[str]) -> None:
    open_wandb(**options, offline=True)
    assert capfd.readouterr() == ("", "")


def test_logger_is_built_once(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[dict[str, Any]] = []

    class Counted(tracking.WandbLogger):
        def __init__(self, **given: Any) -> None:
            built.append(given)
            super().__init__(**given)

    monkeypatch.setattr(tracking, "WandbLogger", Counted)
    close_loggers([open_wandb(**options, offline=True)], 0)
    assert len(built) == 1


def test_closing_after_a_run_lets_the_next_start_its_own(options: dict[str, Any]) -> None:
    first = open_wandb(**options, offline=True)
    close_loggers([first], 0)
    second = open_wandb(**options | {"id": "def12345"}, offline=True)
    assert (first.version, second.version) == ("abc12345", "def12345")
    assert second.experiment.id == "def12345"


def test_other_loggers_get_neither_media_nor_summary(tmp_path: Path) -> None:
    tracker = tracker_of(CSVLogger(tmp_path))
    tracker.summary({})
    tracker.examples([], 0)
    tracker.pictures([tmp_path / "a.png"], 0)
    tracker.close(1)
    assert list(tmp_path.iterdir()) == []


def test_any_logger_gets_the_means_at_the_end_of_the_training(tmp_path: Path) -> None:
    logger = CSVLogger(tmp_path, name="csv", version="")
    tracker_of(logger).means({"metrics": {"test/lsd": 1.5}, "epochs": 20, "global_step": 640})
    assert (tmp_path / "csv" / "metrics.csv").read_text(encoding="utf-8").splitlines() == ["epoch,step,test/lsd", "20,640,1.5"]


def test_team_is_a_key_of_the_configuration(options: dict[str, Any]) -> None:
    logger = open_wandb(**options, entity="a-team", offline=True)
    assert logger.experiment.settings.entity == "a-team"
