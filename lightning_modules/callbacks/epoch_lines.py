"""A line per epoch or validation for a training that nobody watches on a terminal: what it does, and how long it still takes."""

import contextlib
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback, Timer
from torch import Tensor

from lightning_modules.callbacks.best_and_last import validation_values
from lightning_modules.callbacks.budget import batches_done, is_cut_short, is_meant, steps_of
from lightning_modules.losses.registry import RECONSTRUCTION, SUMS, levels
from lightning_modules.metrics.registry import METRICS

TOLD = ("train/", "discriminator/", "autoencoder/")


class EpochLines(Callback):
    """Print what an epoch was like at its end, in the first process, unless a progress bar on a terminal does.

    Training terms are means over the epoch's batches in the first process. The best validation is known over every resume. One
    within an epoch has a line of its own.

    Args:
        monitor: the metric that chooses the best epoch, such as val/si_sdr_db.
        mode: max or min.
    """

    def __init__(self, monitor: str, mode: str) -> None:
        self.monitor, self.sign = monitor, 1 if mode == "max" else -1
        self.best: tuple[float, int] | None = None
        self._best_at = ""
        self._sums: dict[str, Tensor] = {}
        self._counts: Counter[str] = Counter()
        self._started, self._seconds, self._batches = 0.0, list[float](), 0
        self.latest: float | None = None
        self._is_validated = False

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin to count, in the middle of an epoch too."""
        self._forget(trainer)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget the epoch before."""
        self._forget(trainer)

    def _forget(self, trainer: pl.Trainer) -> None:
        self._sums, self._counts, self._is_validated = {}, Counter(), False
        self._started, self._batches = time.monotonic(), batches_done(trainer)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        """Add up the terms, on their device: to wait for their values would slow the training down."""
        if is_watched(trainer):
            return
        for name, value in trainer.callback_metrics.items():
            if name.startswith(TOLD):
                self._sums[name] = self._sums.get(name, 0.0) + value.detach()
                self._counts[name] += 1

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remember the value, but for the check before training, and the epoch if it is the best."""
        if trainer.sanity_checking:
            return
        self.latest, self._is_validated = validation_values(trainer).get(self.monitor), True
        within = is_cut_short(trainer) and not trainer.should_stop
        if self.latest is not None and (self.best is None or self.sign * self.latest > self.sign * self.best[0]):
            self.best = (self.latest, trainer.current_epoch + 1)
            self._best_at = f"at step {batches_done(trainer)}" if is_cut_short(trainer) else f"in epoch {self.best[1]}"
        if within and trainer.is_global_zero and not is_watched(trainer):
            say(f"{place_of(trainer, batches_done(trainer))}: {'; '.join(self._scores())}")

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Print the line."""
        self._seconds.append(time.monotonic() - self._started)
        if trainer.is_global_zero and not is_watched(trainer):
            say(self.line(trainer, levels(getattr(pl_module, "model_config", {}))))

    def line(self, trainer: pl.Trainer, losses: Mapping[str, str]) -> str:
        """Return the line about the epoch that ends.

        Args:
            trainer: at its end.
            losses: of the terms that are named otherwise.
        """
        means = {name: float(total) / self._counts[name] for name, total in self._sums.items()}
        parts = [", ".join(terms(means, losses))]
        parts += self._scores()
        parts.append(f"{self._seconds[-1]:.1f} s{' (cut short)' if is_cut_short(trainer) and not is_meant(trainer) else ''}")
        per_batch = self._seconds[-1] / max(batches_done(trainer) - self._batches, 1)
        left = seconds_left(trainer, sum(self._seconds) / len(self._seconds), per_batch)
        if left is not None:
            parts.append(f"{timedelta(seconds=round(left))} left")
        steps = batches_done(trainer) if steps_of(trainer) is not None else None
        return f"{place_of(trainer, steps)}: {'; '.join(filter(None, parts))}"

    def _scores(self) -> list[str]:
        parts = [quantity(self.monitor, self.latest)] if self._is_validated and self.latest is not None else []
        return parts + ([f"best {quantity('', self.best[0], self.monitor)} {self._best_at}"] if self.best is not None else [])

    def forget(self) -> None:
        """Take the next validation for the best, whatever came before."""
        self.best, self._best_at = None, ""

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"best": None if self.best is None else list(self.best), "best_at": self._best_at}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        if state_dict["best"] is not None:
            self.best = (state_dict["best"][0], state_dict["best"][1])
            self._best_at = state_dict.get("best_at", f"in epoch {self.best[1]}")


def is_watched(trainer: pl.Trainer) -> bool:
    """Say whether a progress bar runs on a terminal."""
    return trainer.progress_bar_callback is not None and sys.stdout.isatty()


def terms(means: Mapping[str, float], losses: Mapping[str, str]) -> list[str]:
    """Write the terms of a training, of several networks' those of the generator first; sums only where they are all there is.

    Args:
        means: by the names they are logged under.
        losses: of the terms that are named otherwise.

    >>> terms({"train/loss": -4.0, "train/log_mse": -5.0, "train/l1": 0.01, "discriminator/loss": 1.4}, {})
    ['log_mse -5.00 dB', 'l1 0.01 FS', 'discriminator/loss 1.4']
    >>> terms({"train/log_mse": -5.0, "train/feature": -2.0}, {"feature": "log_mse"})
    ['log_mse -5.00 dB', 'feature -2.00 dB']
    """
    told = [name for prefix in TOLD for name in means if name.startswith(prefix) and not name.startswith(SUMS)]
    short = {name.removeprefix("train/"): name for name in told or [name for name in means if name in SUMS]}
    return [quantity(term, means[name], losses.get(term, "")) for term, name in short.items()]


def quantity(shown: str, value: float, name: str = "") -> str:
    """Write a name, a value, and the unit that the name (or another one) says; decibels with two decimals.

    >>> quantity("val/si_sdr_db", 12.345), quantity("val/lsd", 1.23456), quantity("", -3.0, "log_mse")
    ('val/si_sdr_db 12.35 dB', 'val/lsd 1.235', '-3.00 dB')
    """
    name = name or shown
    unit = unit_of(name)
    number = f"{value:.2f}" if unit == "dB" else f"{value:.4g}"
    return " ".join(filter(None, [shown, number, unit]))


def unit_of(name: str) -> str:
    """Return the unit of a loss or a metric, whatever it is logged for; of others that which the name ends with.

    >>> unit_of("l1"), unit_of("val/corrupted_snr_db"), unit_of("discriminator/margin_db"), unit_of("val/lsd")
    ('FS', 'dB', 'dB', '')
    """
    metric = name.split("/")[-1].removeprefix("corrupted_")
    if known := RECONSTRUCTION.get(name) or METRICS.get(metric):
        return known.unit
    return "dB" if name.endswith("_db") else ""


def place_of(trainer: pl.Trainer, step: int | None) -> str:
    """Say where a training is: the epoch, how many there are if that is known, and the step where it is asked for.

    Args:
        trainer: in an epoch.
        step: how many batches are done; None to leave it out.
    """
    last, steps = trainer.max_epochs, steps_of(trainer)
    epoch = f"epoch {trainer.current_epoch + 1}" + (f"/{last}" if last is not None and last > 0 else "")
    return epoch if step is None else f"{epoch}, step {step}" + ("" if steps is None else f"/{steps}")


def seconds_left(trainer: pl.Trainer, epoch_seconds: float, batch_seconds: float) -> float | None:
    """Return how long the training goes on at most, by its epochs, steps and time limit; None if it has none of them.

    Args:
        trainer: at the end of an epoch.
        epoch_seconds: how long an epoch takes.
        batch_seconds: how long a batch takes.
    """
    callbacks: Sequence[Callback] = trainer.callbacks  # type: ignore[attr-defined]  # declared by none of Lightning's classes
    limits = [timer.time_remaining() for timer in callbacks if isinstance(timer, Timer)]
    if trainer.max_epochs is not None and trainer.max_epochs > 0:
        limits.append((trainer.max_epochs - trainer.current_epoch - 1) * epoch_seconds)
    steps = steps_of(trainer)
    if steps is not None:
        limits.append((steps - batches_done(trainer)) * batch_seconds)
    known = [limit for limit in limits if limit is not None]
    return max(0.0, min(known)) if known else None


def say(line: str) -> None:
    """Print a line at once; a reader that has gone is no reason to end a training."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
