"""Learning-rate schedules: stepped before the checkpoint is written, which else would lack the step.

A plateau schedule is stepped by every regular validation. Any other is stepped after every epoch, or after every batch where the
training is as long as a number of batches says. A cosine over a training with a time limit follows, after every batch, the limit
that is nearest.
"""

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.trainer.states import TrainerFn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lightning_modules.callbacks.budget import is_cut_short, is_regular, steps_of
from lightning_modules.callbacks.cosine import put
from lightning_modules.callbacks.lengths import at_the_clock, is_timed, position_after_batch


def step_plateaus(schedules: Iterable[Any], trainer: pl.Trainer, monitor: str) -> None:
    """Step the plateau schedules by the validation that ends, if it is a regular one of a training.

    Args:
        schedules: of the module, others among them are left alone.
        trainer: knows the epoch and the metrics.
        monitor: name of the metric.
    """
    if trainer.state.fn != TrainerFn.FITTING or trainer.sanity_checking or not is_regular(trainer):
        return
    for schedule in schedules:
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(trainer.callback_metrics[monitor])


def step_after_epoch(schedules: Iterable[Any], trainer: pl.Trainer) -> None:
    """Step the schedules that count epochs, if this one is at its end."""
    if steps_of(trainer) is None and not is_cut_short(trainer):
        for schedule in _counting(schedules, trainer):
            schedule.step()


def step_after_batch(schedules: Iterable[Any], trainer: pl.Trainer) -> None:
    """Step the schedules that count batches, and put those that end with the time where the clock says."""
    everything = list(schedules)
    if steps_of(trainer) is not None:
        for schedule in _counting(everything, trainer):
            schedule.step()
    for schedule in everything:
        if _is_timed(schedule, trainer):
            put(schedule, at_the_clock(trainer, position_after_batch(trainer)))


def _counting(schedules: Iterable[Any], trainer: pl.Trainer) -> list[Any]:
    return [each for each in schedules if not isinstance(each, ReduceLROnPlateau) and not _is_timed(each, trainer)]


def _is_timed(schedule: Any, trainer: pl.Trainer) -> bool:
    return is_timed(trainer, type(schedule), getattr(schedule, "T_max", None))


def as_list(schedules: Any) -> list[Any]:
    """Return what `LightningModule.lr_schedulers` or `optimizers` gives (nothing, one, or a list) as a list."""
    if schedules is None:
        return []
    return list(schedules) if isinstance(schedules, list | tuple) else [schedules]
