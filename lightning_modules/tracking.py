"""Experiment trackers that never get in the way: when Weights & Biases cannot be reached, the run is logged offline."""

import logging
from collections.abc import Callable

from pytorch_lightning.loggers import Logger, WandbLogger

START_SECONDS = 15
"""How long a run waits for the server before it goes on offline."""

log = logging.getLogger(__name__)


def open_logger(create: Callable[..., Logger]) -> Logger:
    """Create a logger; a W&B one that cannot start online starts offline.

    Args:
        create: makes the logger; for W&B it takes `settings` and `offline`.
    """
    logger = create()
    if not isinstance(logger, WandbLogger):
        return logger
    import wandb

    settings = wandb.Settings(init_timeout=START_SECONDS, silent=True)
    logger = create(settings=settings)
    try:
        _ = logger.experiment  # type: ignore[attr-defined]
    except Exception as error:  # wandb raises its own errors, and those of its transport
        log.warning(
            "W&B cannot be reached (%s); this run is logged offline, upload it later with `wandb sync`", _first_line(error)
        )
        wandb.teardown()
        logger = create(settings=settings, offline=True)
        _ = logger.experiment  # type: ignore[attr-defined]
    return logger


def close_logger(logger: Logger | None, exit_code: int) -> None:
    """Finish a W&B run, so that the next run of the process starts its own."""
    if isinstance(logger, WandbLogger):
        import wandb

        wandb.finish(exit_code=exit_code)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
