"""How long a training goes on: counted in batches, whatever their optimizers do, with a validation where it ends."""

from collections.abc import Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback


class Budget(Callback):
    """End a training after a number of batches, and let every end be validated, that of an epoch without validation too.

    Lightning's own `max_steps` counts the steps of all optimizers together (Lightning-AI/pytorch-lightning#17958). This callback
    has to come after every other that may end a training in the middle of an epoch.

    Args:
        max_steps: batches over all epochs and resumes; None for no such limit.

    Attributes:
        is_reached: whether the training ends where it was meant to.
        is_forced: whether the validation that comes next is there for the end alone.
    """

    def __init__(self, max_steps: int | None = None) -> None:
        self.max_steps = max_steps
        self.is_reached = self.is_forced = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End a resumed run at once if it has had its batches."""
        if self._is_used_up(trainer):
            _stop(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        """End the training, where it is time, and see to its validation."""
        used_up = self._is_used_up(trainer) and is_between_steps(pl_module)
        self.is_reached = used_up or _is_last_epoch(trainer)
        if used_up or (self.is_reached and not is_regular(trainer)):
            _stop(trainer)
        if trainer.should_stop and trainer.fit_loop._can_stop_early and not is_regular(trainer):
            self.is_forced = True
            trainer.check_val_every_n_epoch = None  # every epoch may be validated now

    def _is_used_up(self, trainer: pl.Trainer) -> bool:
        """Say whether all batches are done; those whose gradients are added up for a step are not divided."""
        if self.max_steps is None or batches_done(trainer) < self.max_steps:
            return False
        return batches_done(trainer) == 0 or not trainer.fit_loop._should_accumulate()


def check_last_step(steps: int | None, accumulated: int, epoch_batches: float) -> None:
    """Refuse an end between two steps of the optimizer; it takes one after so many batches, and one at the end of an epoch.

    Args:
        steps: batches of the training, None for no such limit.
        accumulated: batches whose gradients are added up for a step.
        epoch_batches: batches of an epoch.

    Raises:
        ValueError: naming the keys and the nearest ends that are allowed.
    """
    within = 0 if steps is None else int(steps % epoch_batches)
    if steps is None or within % accumulated == 0:
        return
    before = steps - within % accumulated
    after = min(before + accumulated, int(steps - within + min(epoch_batches, steps + accumulated)))
    raise ValueError(
        f"trainer.max_steps={steps} must not end between two steps of the optimizer, which takes one after "
        f"trainer.accumulate_grad_batches={accumulated} batches of an epoch; "
        f"allowed: {f'{before} or {after}' if before else after}"
    )


def _stop(trainer: pl.Trainer) -> None:
    trainer.should_stop = True
    trainer.fit_loop.min_epochs = None


def _is_last_epoch(trainer: pl.Trainer) -> bool:
    last = trainer.max_epochs
    return not is_cut_short(trainer) and last is not None and 0 < last <= trainer.current_epoch + 1


def batches_done(trainer: pl.Trainer) -> int:
    """Return how many batches a training has had, over every resume, the one in flight included."""
    return int(trainer.fit_loop.epoch_loop.batch_progress.total.ready)


def loggers_step(trainer: pl.Trainer) -> int:
    """Return how many batches were stepped by before the one in flight, over every resume: where loggers put what it gives."""
    return trainer.fit_loop.epoch_loop._batches_that_stepped


def is_between_steps(pl_module: pl.LightningModule) -> bool:
    """Say whether no batch waits for others with which the method makes a step."""
    return bool(getattr(pl_module, "is_between_steps", True))


def is_cut_short(trainer: pl.Trainer) -> bool:
    """Say at the end of an epoch whether batches of it are left."""
    return not trainer.fit_loop.epoch_loop.batch_progress.is_last_batch


def is_regular(trainer: pl.Trainer) -> bool:
    """Say after a batch whether a training that goes on is validated here too."""
    if any(budget.is_forced for budget in _budgets(trainer)):
        return False
    every = trainer.check_val_every_n_epoch
    if every is not None and (trainer.current_epoch + 1) % every:
        return False
    if trainer.val_check_interval == 1.0 and not isinstance(trainer.val_check_interval, int):
        return not is_cut_short(trainer)
    done = batches_done(trainer) if every is None else trainer.fit_loop.batch_idx + 1
    return done % int(trainer.val_check_batch or 1) == 0


def is_meant(trainer: pl.Trainer) -> bool:
    """Say after a batch whether the validation here was planned: a regular one, or that of the end a run was given."""
    return any(budget.is_reached for budget in _budgets(trainer)) or is_regular(trainer)


def steps_of(trainer: pl.Trainer) -> int | None:
    """Return how many batches a training is to have; None if they are not limited."""
    return next((budget.max_steps for budget in _budgets(trainer)), None)


def _budgets(trainer: pl.Trainer) -> list[Budget]:
    callbacks: Sequence[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared by none of Lightning's classes
    return [callback for callback in callbacks if isinstance(callback, Budget)]
