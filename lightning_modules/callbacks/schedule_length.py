"""A run that is continued with another number of epochs: its cosine schedules end with it."""

import math

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.optim.lr_scheduler import CosineAnnealingLR

from lightning_modules.callbacks.epoch_lines import say


class ScheduleLength(Callback):
    """Let a cosine schedule end where the configuration says, which its state in a checkpoint would overrule.

    `CosineAnnealingLR` takes its length back from the checkpoint; beyond that length the rate climbs again. A run that goes on
    with the same length is left alone to the last bit.
    """

    def __init__(self) -> None:
        self._wanted: list[int | None] = []

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember the lengths that the schedules are made with, before a checkpoint gives them its own."""
        self._wanted = [schedule.T_max if isinstance(schedule, CosineAnnealingLR) else None for schedule in _schedules(trainer)]

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Give a schedule with another length its own again, and say so."""
        for schedule, wanted in zip(_schedules(trainer), self._wanted, strict=True):
            if isinstance(schedule, CosineAnnealingLR) and wanted is not None and schedule.T_max != wanted:
                line = stretch(schedule, wanted)
                if trainer.is_global_zero:
                    say(line)


def _schedules(trainer: pl.Trainer) -> list[object]:
    return [config.scheduler for config in trainer.lr_scheduler_configs]


def stretch(schedule: CosineAnnealingLR, length_epochs: int) -> str:
    """Put a schedule where one of another length would be by now.

    The rate is eta_min + (base - eta_min) (1 + cos(pi t / T)) / 2 after t of T epochs (SGDR, arXiv 1608.03983, equation 5).

    Args:
        schedule: after some epochs; its optimizer gets the new rate.
        length_epochs: the new T.

    Returns:
        What changes, in a line.
    """
    before, rates = schedule.T_max, [float(rate) for rate in schedule.get_last_lr()]
    schedule.T_max = length_epochs
    share = (1 + math.cos(math.pi * min(schedule.last_epoch, length_epochs) / length_epochs)) / 2
    now = [schedule.eta_min + (base - schedule.eta_min) * share for base in schedule.base_lrs]
    for group, rate in zip(schedule.optimizer.param_groups, now, strict=True):
        group["lr"] = rate
    schedule._last_lr = now
    return (
        f"the cosine schedule now ends after {length_epochs} epochs, not {before}: "
        f"after epoch {schedule.last_epoch} the learning rate is {now[0]:.3g}, not {rates[0]:.3g}"
    )
