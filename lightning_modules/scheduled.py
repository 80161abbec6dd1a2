"""What every method that trains shares: when its learning-rate schedules are stepped."""

from typing import Any

from lightning_modules.base import DEFAULT_MONITOR, Batch, RestorationModule
from lightning_modules.training.schedules import as_list, step_after_batch, step_after_epoch, step_plateaus


class ScheduledModule(RestorationModule):
    """A method that is trained, by one optimizer or several, each with a learning-rate schedule or without.

    Attributes:
        monitor: the metric that plateau schedules watch.
    """

    needs_training = True
    monitor: str = DEFAULT_MONITOR

    def train(self, mode: bool = True) -> "ScheduledModule":
        """Switch modes; but layers in frozen parts, and whatever else is held, gather no statistics."""
        super().train(mode)
        self.hold()
        return self

    def hold(self) -> None:
        """Put what is held into evaluation mode."""
        for layer in self.held:
            layer.eval()

    def on_train_start(self) -> None:
        """Hold what is to be held; before, Lightning would warn of it."""
        self.train()

    def on_validation_epoch_end(self) -> None:
        """Step the plateau schedules."""
        step_plateaus(as_list(self.lr_schedulers()), self.trainer, self.monitor)

    def on_train_epoch_end(self) -> None:
        """Step the others; this hook comes before the checkpoint."""
        step_after_epoch(as_list(self.lr_schedulers()), self.trainer)

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Step them here where they count batches."""
        step_after_batch(as_list(self.lr_schedulers()), self.trainer)
