"""Experiment trackers that never get in the way: when Weights & Biases cannot be reached, the run is logged offline."""

import logging
from typing import Any

from pytorch_lightning.loggers import Logger, WandbLogger

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

    settings = wandb.Settings(init_timeout=START_SECONDS, finish_timeout=FINISH_SECONDS, silent=True)
    logger = WandbLogger(settings=settings, **options)
    try:
        _ = logger.experiment
    except Exception as error:  # wandb raises its own errors, and those of its transport
        log.warning(
            "W&B cannot be reached (%s); this run is logged offline, upload it later with `wandb sync`", _first_line(error)
        )
        wandb.teardown()
        logger = WandbLogger(settings=settings, **options | {"offline": True})
        _ = logger.experiment
    return logger


def close_logger(logger: Logger | None, exit_code: int) -> None:
    """Finish a W&B run, so that the next run of the process starts its own."""
    if isinstance(logger, WandbLogger):
        import wandb

        wandb.finish(exit_code=exit_code)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
