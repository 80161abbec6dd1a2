"""Which states of a training are kept: the best by the monitored metric, and the last whole epoch."""

from pathlib import Path

import pytorch_lightning as pl
from pytorch_lightning.callbacks import ModelCheckpoint


def best_checkpoint(folder: Path, monitor: str, mode: str) -> ModelCheckpoint:
    """Keep `best.ckpt`, the state with the best validation value of `monitor`."""
    return ModelCheckpoint(folder, "best", monitor=monitor, mode=mode, save_top_k=1, enable_version_counter=False)


class LastEpoch(ModelCheckpoint):
    """Keep `last.ckpt`, the state at the end of the last epoch that ran to its end.

    An epoch cut short by a signal or a time limit is not saved: a run resumed from `last.ckpt` repeats it whole and so ends
    where an uninterrupted run ends.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "last", save_top_k=1, save_on_train_epoch_end=True, enable_version_counter=False)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, unless the epoch was cut short."""
        if trainer.fit_loop.epoch_loop.batch_progress.is_last_batch:
            super().on_train_epoch_end(trainer, pl_module)
