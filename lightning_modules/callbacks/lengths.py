"""How long a training is in the unit that its schedules count, and how far it has come, by the clock too."""

import math
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Timer
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.callbacks.budget import batches_done, steps_of


def timer_of(trainer: pl.Trainer) -> Timer | None:
    """Return what ends a training by `max_time`; it counts over every resume."""
    return next((callback for callback in trainer.callbacks if isinstance(callback, Timer)), None)  # type: ignore[attr-defined]


def unit_of(trainer: pl.Trainer) -> str:
    """Say what the length of a training is counted in: batches where their number is given, else epochs, else seconds."""
    if steps_of(trainer) is not None:
        return "batch"
    return "second" if not _limits_epochs(trainer) and timer_of(trainer) is not None else "epoch"


def length_of(trainer: pl.Trainer) -> int | None:
    """Return how long a training is in its unit; None if it is without limit."""
    steps, timer, epochs = steps_of(trainer), timer_of(trainer), trainer.max_epochs
    if steps is not None:
        limited = _limits_epochs(trainer) and trainer.num_training_batches != math.inf
        return min(steps, int((epochs or 0) * trainer.num_training_batches)) if limited else steps
    if _limits_epochs(trainer):
        return epochs
    return None if timer is None else round(_duration(timer))


def is_timed(trainer: pl.Trainer, kind: type, end: float | None) -> bool:
    """Say whether a schedule ends with a training that the clock may end.

    Args:
        trainer: of the training.
        kind: of the schedule; a cosine knows its end.
        end: T_max of the schedule.
    """
    return issubclass(kind, CosineAnnealingLR) and timer_of(trainer) is not None and end == length_of(trainer)


def at_the_clock(trainer: pl.Trainer, position: float) -> float:
    """Return how far a training is in its unit by the limit that is nearest, the same in all processes.

    Args:
        trainer: with a time limit.
        position: how far it is by its number of batches or epochs.
    """
    timer, length = timer_of(trainer), length_of(trainer)
    assert timer is not None and length is not None
    share: float = trainer.strategy.broadcast(timer.time_elapsed() / _duration(timer))
    return min(max(position, share * length), length)


def position_after_batch(trainer: pl.Trainer) -> float:
    """Return how far a training is by its number of batches or epochs alone; 0 where neither is given."""
    unit = unit_of(trainer)
    if unit == "batch":
        return batches_done(trainer)
    return 0.0 if unit == "second" else trainer.current_epoch + (trainer.fit_loop.batch_idx + 1) / trainer.num_training_batches


def _limits_epochs(trainer: pl.Trainer) -> bool:
    return trainer.max_epochs is not None and trainer.max_epochs > 0


def _duration(timer: Timer) -> float:
    duration: Any = timer._duration
    return float(duration)
