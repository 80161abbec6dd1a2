"""The state of a training within an epoch, kept by the clock and where a signal ends the training, for a run to go on from."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from lightning_modules.callbacks.budget import is_between_steps, is_cut_short, is_regular
from lightning_modules.callbacks.common import StopOnSignal
from lightning_modules.callbacks.mid_epoch import KEY

_COUNTS = ("ready", "started", "processed", "completed")


class WithinEpoch(Callback):
    """Write `last.ckpt` between two batches of an epoch, in the first process; a run goes on from it with the next batch.

    Without it, who is killed goes on from the end of the epoch before, to the same weights. Batches whose gradients are added up
    for a step are not divided.

    Args:
        folder: of the checkpoints.
        every_minutes: from one checkpoint to the next; None writes one only where a signal ends the training.
    """

    def __init__(self, folder: Path, every_minutes: float | None) -> None:
        self._path, self._every_minutes = folder / "last.ckpt", every_minutes
        self._written = time.monotonic()

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._written = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock again: the end of an epoch is kept by another callback."""
        self._written = time.monotonic()

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Keep what the batches before have come to, validation and schedules included, if it is time."""
        if self._every_minutes is None or time.monotonic() - self._written < 60 * self._every_minutes:
            return
        if batch_idx > 0 and batch_idx % trainer.accumulate_grad_batches == 0 and is_between_steps(pl_module):
            self._write(trainer, trainer.fit_loop.epoch_loop._batches_that_stepped)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Keep what a signal ends, before the validation that it may cut short; one that is due anyway is gone through again."""
        if trainer.sanity_checking or not is_cut_short(trainer) or is_regular(trainer) or trainer.fit_loop._should_accumulate():
            return
        callbacks: list[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared by none of Lightning's classes
        if any(isinstance(callback, StopOnSignal) and callback.stops for callback in callbacks):
            self._write(trainer, trainer.fit_loop.epoch_loop._batches_that_stepped + 1)

    def _write(self, trainer: pl.Trainer, steps: int) -> None:
        if trainer.is_global_zero:
            state = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
            between_batches(state, steps, trainer.num_training_batches)
            trainer.strategy.save_checkpoint(state, self._path)
        self._written = time.monotonic()


def between_batches(state: dict[str, Any], steps: int, epoch_batches: float) -> None:
    """Give the state of a training the form that it has at the end of an epoch which was cut short here; see `MidEpoch`.

    Args:
        state: of a trainer, taken while no batch was at work, the next one fetched or not.
        steps: batches that were stepped by, as loggers count them.
        epoch_batches: batches of the epoch.
    """
    loops = state["loops"]["fit_loop"]
    batches = loops["epoch_loop.batch_progress"]
    for counted in ("total", "current"):
        batches[counted] |= dict.fromkeys(_COUNTS, batches[counted]["completed"])
        loops["epoch_progress"][counted]["processed"] += 1
    batches["is_last_batch"] = False
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] = steps
    loops["state_dict"]["combined_loader"] = [{"batches": batches["current"]["completed"]}]
    state[KEY] = {"batches": epoch_batches}
