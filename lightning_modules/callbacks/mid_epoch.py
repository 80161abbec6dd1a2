"""A run that ended in the middle of an epoch goes on there: with the next batch, as if nothing had been."""

from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.trainer.connectors.data_connector import _parse_num_batches
from pytorch_lightning.trainer.states import RunningStage

from lightning_modules.callbacks.budget import is_cut_short
from lightning_modules.callbacks.epoch_lines import say

KEY = "mid_epoch"


class MidEpoch(Callback):
    """Mark a checkpoint of an unfinished epoch, and let a run that goes on from it finish that epoch.

    Lightning takes an epoch for finished once its end was told, whatever its batches. The loader of the training must have a
    state; Lightning keeps it in checkpoints.
    """

    def __init__(self) -> None:
        self._steps: int | None = None

    def on_save_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Keep how many batches the epoch has, if some are left at its end."""
        progress: Any = trainer.fit_loop.epoch_progress.current
        if progress.processed == progress.ready and is_cut_short(trainer):
            checkpoint[KEY] = {"batches": trainer.num_training_batches}

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Take the end of the epoch back, unless an epoch has another number of batches now."""
        if KEY not in checkpoint:
            return
        before, now = checkpoint[KEY]["batches"], batches_of_epoch(trainer, len(_loader_of(trainer)))
        if before != now:
            if trainer.is_global_zero:
                say(f"the rest of epoch {checkpoint['epoch'] + 1} is left out: an epoch has {now} batches now, not {before}")
            return
        loops = checkpoint["loops"]["fit_loop"]
        for counted in ("total", "current"):
            loops["epoch_progress"][counted]["processed"] -= 1
        self._steps = loops["epoch_loop.state_dict"]["_batches_that_stepped"]

    def on_train_batch_start(self, trainer: pl.Trainer, *batch: Any) -> None:
        """Give back the loggers' step; Lightning counts one more where the epoch was just validated."""
        if self._steps is not None:
            trainer.fit_loop.epoch_loop._batches_that_stepped, self._steps = self._steps, None


def batches_of_epoch(trainer: pl.Trainer, batches: int) -> int | float:
    """Return how many of the batches that a loader has an epoch takes."""
    return _parse_num_batches(RunningStage.TRAINING, batches, trainer.limit_train_batches)


def _loader_of(trainer: pl.Trainer) -> Any:
    return trainer.datamodule.train_dataloader()  # type: ignore[attr-defined]  # declared by none of Lightning's classes
