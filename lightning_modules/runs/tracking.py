"""Which trackers a run has; when Weights & Biases cannot be reached, the run is logged offline and goes on."""

import logging
import os
from collections.abc import Sequence
from typing import Any

from pytorch_lightning.loggers import Logger, TensorBoardLogger, WandbLogger

from lightning_modules.runs.tensorboard_tracker import TensorBoardTracker
from lightning_modules.runs.tracker import Tracker
from lightning_modules.runs.wandb_tracker import WandbTracker, define_best_values

START_SECONDS = 15
"""How long a run waits for the server before it goes on offline."""
FINISH_SECONDS = 30
"""How long a run waits at its end for uploads that an outage holds up; `wandb sync` uploads the rest."""

log = logging.getLogger(__name__)


def open_wandb(**options: Any) -> WandbLogger:
    """Start a W&B run; one that cannot start online starts offline.

    Args:
        options: of pytorch_lightning.loggers.WandbLogger.
    """
    import wandb

    os.environ.setdefault("WANDB_DATA_DIR", f"{options['save_dir']}/wandb")  # files that wait for their upload stay with the run
    settings = wandb.Settings(init_timeout=START_SECONDS, finish_timeout=FINISH_SECONDS, silent=True)
    try:
        logger = _started(settings, options)
    except Exception as error:  # wandb raises its own errors, and those of its transport
        log.warning(
            "W&B cannot be reached (%s); this run is logged offline, upload it later with `wandb sync`", _first_line(error)
        )
        wandb.teardown()
        logger = _started(settings, options | {"offline": True})
    define_best_values(logger)
    return logger


def _started(settings: Any, options: dict[str, Any]) -> WandbLogger:
    logger = WandbLogger(settings=settings, **options)
    logger._wandb_init.pop("anonymous", None)  # Lightning always sets it, and W&B warns of it
    _ = logger.experiment
    return logger


def tracker_of(logger: Logger) -> Tracker:
    """Return what tells a logger of the end of a run."""
    if isinstance(logger, WandbLogger):
        return WandbTracker(logger)
    return TensorBoardTracker(logger) if isinstance(logger, TensorBoardLogger) else Tracker(logger)


def close_loggers(loggers: Sequence[Logger], exit_code: int) -> None:
    """Close all; see `Tracker.close`."""
    for logger in loggers:
        tracker_of(logger).close(exit_code)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
