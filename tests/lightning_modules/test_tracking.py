"""Weights & Biases gets everything, and a server that does not answer costs a few seconds at most."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from pytorch_lightning.loggers import CSVLogger, WandbLogger

from lightning_modules import tracking
from lightning_modules.tracking import close_logger, open_logger


@pytest.fixture
def create(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., WandbLogger]:
    monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    return partial(WandbLogger, project="clarion", name="n", id="abc12345", save_dir=tmp_path, resume="allow")


def test_other_loggers_are_returned_as_they_are(tmp_path: Path) -> None:
    logger = open_logger(partial(CSVLogger, tmp_path))
    assert isinstance(logger, CSVLogger)
    close_logger(logger, 0)


def test_unreachable_server_means_offline_soon(
    create: Callable[..., WandbLogger], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracking, "START_SECONDS", 2)
    started = time.monotonic()
    logger = open_logger(create)
    assert time.monotonic() - started < 30
    assert "cannot be reached" in caplog.text
    logger.log_metrics({"val/snr_db": 1.0})
    close_logger(logger, 0)
    assert list(tmp_path.glob("wandb/offline-run-*-abc12345/*.wandb"))
