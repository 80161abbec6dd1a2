"""What is best is chosen anew: of a run that goes on with other validation pairs, and where the method begins to be trained."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, EarlyStopping

from lightning_modules.callbacks.best_and_last import BestEpoch
from lightning_modules.callbacks.epoch_lines import EpochLines


class BestAnew(Callback):
    """Forget the best values of a checkpoint, before others are given them."""

    def on_load_checkpoint(self, trainer: pl.Trainer, pl_module: pl.LightningModule, checkpoint: dict[str, Any]) -> None:
        """Take the states of all that compare validations out of the checkpoint."""
        for callback in trainer.callbacks:  # type: ignore[attr-defined]  # declared by none of Lightning's classes
            if isinstance(callback, BestEpoch | EpochLines | EarlyStopping):
                checkpoint["callbacks"].pop(callback.state_key, None)


def forget_best(trainer: pl.Trainer) -> None:
    """Compare the validations of a running training with none that came before."""
    for callback in trainer.callbacks:  # type: ignore[attr-defined]  # declared by none of Lightning's classes
        if isinstance(callback, BestEpoch | EpochLines):
            callback.forget()
        elif isinstance(callback, EarlyStopping):
            callback.wait_count = 0
            callback.best_score = torch.tensor(-torch.inf if callback.mode == "max" else torch.inf)
