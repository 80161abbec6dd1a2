"""Learning-rate schedules at the end of an epoch: stepped before the checkpoint is written, which else would lack the step."""

from collections.abc import Iterable
from typing import Any

import pytorch_lightning as pl
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lightning_modules.callbacks.best_and_last import is_cut_short


def step_plateaus(schedules: Iterable[Any], trainer: pl.Trainer, monitor: str) -> None:
    """Step the plateau schedules by the validation of this epoch, if it had one and ran to its end.

    Args:
        schedules: of the module, others among them are left alone.
        trainer: knows the epoch and the metrics.
        monitor: name of the metric.
    """
    validated = (trainer.current_epoch + 1) % (trainer.check_val_every_n_epoch or 1) == 0
    if is_cut_short(trainer) or not validated:
        return
    for schedule in schedules:
        if isinstance(schedule, ReduceLROnPlateau):
            schedule.step(trainer.callback_metrics[monitor])


def step_epoch_schedulers(schedules: Iterable[Any]) -> None:
    """Step the schedules that count epochs; under automatic optimization Lightning does it."""
    for schedule in schedules:
        if not isinstance(schedule, ReduceLROnPlateau):
            schedule.step()


def as_list(schedules: Any) -> list[Any]:
    """Return what `LightningModule.lr_schedulers` or `optimizers` gives (nothing, one, or a list) as a list."""
    if schedules is None:
        return []
    return list(schedules) if isinstance(schedules, list | tuple) else [schedules]
