"""What Weights & Biases is told of a run; when it cannot be reached, the run is logged offline and goes on."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
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

    os.environ.setdefault("WANDB_DATA_DIR", str(options["save_dir"]))  # files that wait for their upload stay with the run
    settings = wandb.Settings(init_timeout=START_SECONDS, finish_timeout=FINISH_SECONDS, silent=True)
    try:
        logger = _started(settings, options)
    except Exception as error:  # wandb raises its own errors, and those of its transport
        log.warning(
            "W&B cannot be reached (%s); this run is logged offline, upload it later with `wandb sync`", _first_line(error)
        )
        wandb.teardown()
        logger = _started(settings, options | {"offline": True})
    return logger


def _started(settings: Any, options: dict[str, Any]) -> WandbLogger:
    logger = WandbLogger(settings=settings, **options)
    logger._wandb_init.pop("anonymous", None)  # Lightning always sets it, and W&B warns of it
    _ = logger.experiment
    return logger


def log_examples(logger: Logger | None, examples: Sequence[Mapping[str, Path]], sample_rate: int) -> None:
    """Send examples to W&B: each as media of its own, and all as a table, a line for each with its audio and its spectrograms.

    Args:
        logger: others than W&B are left alone.
        examples: paths by name: corrupted, restored, clean, and spectrogram where there is one.
        sample_rate: of the audio in Hz.
    """
    if not isinstance(logger, WandbLogger) or not examples:
        return
    names = ("corrupted", "restored", "clean")
    lines: list[list[Any]] = []
    for number, paths in enumerate(examples):
        audio = [str(paths[name]) for name in names]
        logger.log_audio(f"examples/{number}", audio, caption=list(names), sample_rate=[sample_rate] * len(names))
        if "spectrogram" in paths:
            logger.log_image(f"examples/{number}_spectrogram", [str(paths["spectrogram"])])
        lines.append([paths["clean"].stem.removesuffix("_clean"), *_media(paths, names, sample_rate)])
    logger.log_table("examples", columns=["pair", *names, "spectrograms"], data=lines)


def _media(paths: Mapping[str, Path], names: Sequence[str], sample_rate: int) -> list[Any]:
    import wandb

    audio = [wandb.Audio(str(paths[name]), sample_rate=sample_rate, caption=name) for name in names]
    return [*audio, wandb.Image(str(paths["spectrogram"])) if "spectrogram" in paths else None]


def log_means(logger: Logger | None, metrics: Mapping[str, float]) -> None:
    """Tell any logger the means over the test pairs.

    Args:
        logger: may be None.
        metrics: by name, such as test/lsd.
    """
    if logger is not None:
        logger.log_metrics(dict(metrics))
        logger.save()


def log_summary(logger: Logger | None, result: Mapping[str, Any]) -> None:
    """Give a W&B run the result that a table of runs is sorted by: test metrics of restored and corrupted, size, verdict.

    Args:
        logger: others than W&B are left alone.
        result: what result.json holds.
    """
    if isinstance(logger, WandbLogger):
        kept = {key: result[key] for key in ("verdict", "params", "status", "manifest_hash")}
        logger.experiment.summary.update(kept | result["metrics"] | result.get("validation", {}))


def close_loggers(loggers: Sequence[Logger], exit_code: int) -> None:
    """Close all; see `close_logger`."""
    for logger in loggers:
        close_logger(logger, exit_code)


def close_logger(logger: Logger | None, exit_code: int) -> None:
    """Finish a W&B run, so that the next run of the process starts its own."""
    if isinstance(logger, WandbLogger):
        import wandb

        wandb.finish(exit_code=exit_code)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
