"""Progress bars on a terminal, one at a time: of a training with its scores in their units, of a test with the method's name."""

import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, ProgressBar, TQDMProgressBar
from pytorch_lightning.callbacks.progress.tqdm_progress import Tqdm, convert_inf

from lightning_modules.callbacks.budget import batches_done, steps_of
from lightning_modules.callbacks.epoch_lines import EpochLines, place_of, quantity, terms
from lightning_modules.losses.registry import levels

SECONDS_BETWEEN_READINGS = 0.5
"""Reading a value waits for the device that computes it."""
READ = ("train/", "discriminator/accuracy")
ACCURACIES = {"clean": "discriminator/accuracy_clean", "restored": "discriminator/accuracy_restored"}


class TrainingBar(TQDMProgressBar):
    """Show the monitored metric as it is and at its best, how often a discriminator is right, and the terms of the latest batch.

    The metric is known from the `EpochLines` of the same trainer. Validation has no bar of its own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._read_at, self._told = -SECONDS_BETWEEN_READINGS, dict[str, str]()

    def init_validation_tqdm(self) -> Tqdm:
        """Return a bar that is not seen."""
        return Tqdm(disable=True)

    def on_train_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Begin, in the middle of an epoch too."""
        super().on_train_start(trainer)
        self.on_train_epoch_start(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, *_: Any) -> None:
        """Count epochs from 1, as the lines of a training without a terminal do."""
        self.train_progress_bar.set_description(_place(trainer), refresh=False)
        self.train_progress_bar.reset(convert_inf(self.total_train_batches))

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say what is being done."""
        super().on_validation_start(trainer, pl_module)
        if not trainer.sanity_checking:
            self.train_progress_bar.set_description(f"{_place(trainer)}, validating")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Show the new value at once."""
        self._read_at = -SECONDS_BETWEEN_READINGS
        super().on_validation_end(trainer, pl_module)
        if not trainer.sanity_checking:
            self.train_progress_bar.set_description(_place(trainer))

    def get_metrics(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> dict[str, int | str | float | dict[str, float]]:
        """Return what stands behind the bar, read anew twice a second."""
        now = time.monotonic()
        if now - self._read_at >= SECONDS_BETWEEN_READINGS:
            self._read_at, self._told = now, told_of(trainer, levels(getattr(pl_module, "model_config", {})))
        return dict(self._told)


class ScoringBar(TQDMProgressBar):
    """Show which method is tested; the bar goes when the test is over.

    Args:
        method: its name.
    """

    def __init__(self, method: str) -> None:
        super().__init__()
        self.method = method

    def init_test_tqdm(self) -> Tqdm:
        """Return a bar that names the method."""
        described = {"desc": f"testing {self.method}", "bar_format": self.BAR_FORMAT}
        return Tqdm(**described, disable=self.is_disabled, leave=False, dynamic_ncols=True, file=sys.stdout)

    def on_test_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Tell the bar how much there is to do, before the first batch of the only data loader."""
        if batch_idx == 0:
            self.test_progress_bar.reset(convert_inf(trainer.num_test_batches[dataloader_idx]))


def counting_bar(trainer: pl.Trainer, description: str, total: int) -> Tqdm:
    """Return a bar for work after a test, seen only where the test of this trainer has one."""
    shown = isinstance(trainer.progress_bar_callback, ScoringBar)
    described = {"desc": description, "total": total, "bar_format": TQDMProgressBar.BAR_FORMAT}
    return Tqdm(**described, disable=not shown, leave=False, dynamic_ncols=True, file=sys.stdout)


def _place(trainer: pl.Trainer) -> str:
    return place_of(trainer, None if steps_of(trainer) is None else batches_done(trainer))


def told_of(trainer: pl.Trainer, losses: Mapping[str, str]) -> dict[str, str]:
    """Return what a bar tells of a training, with units.

    Args:
        trainer: in an epoch.
        losses: of the terms that are named otherwise.
    """
    callbacks: Sequence[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared by none of Lightning's classes
    told = dict[str, str]()
    lines = next((callback for callback in callbacks if isinstance(callback, EpochLines)), None)
    if lines is not None and lines.latest is not None and lines.best is not None:
        latest, best = (quantity("", value, lines.monitor) for value in (lines.latest, lines.best[0]))
        told[lines.monitor] = f"{latest} (best {best})"
    logged = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith(READ)}
    right = [f"{logged[name]:.0%} of {signal}" for signal, name in ACCURACIES.items() if name in logged]
    told |= {"D right": ", ".join(right)} if right else {}
    return told | dict(entry.split(" ", 1) for entry in terms(logged, losses))


def with_bar(described: Mapping[str, Any], bar: ProgressBar, callbacks: Sequence[Callback]) -> dict[str, Any]:
    """Return the arguments of a trainer that shows a bar if it is wanted and somebody watches.

    Args:
        described: the trainer's configuration.
        bar: to show.
        callbacks: the others.
    """
    shown = bool(described.get("enable_progress_bar", True)) and sys.stdout.isatty() and terminal_columns() > 0
    return {"enable_progress_bar": shown, "callbacks": [*callbacks, *([bar] if shown else [])]}


def terminal_columns() -> int:
    """Return how wide the terminal is; 0 where it does not say so (some containers), and a bar would have no room."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


def name_method(trainer: pl.Trainer, method: str) -> None:
    """Tell the bar of a trainer, if it has one, which method it tests next."""
    if isinstance(trainer.progress_bar_callback, ScoringBar):
        trainer.progress_bar_callback.method = method
