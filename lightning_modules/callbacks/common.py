"""Callbacks every run uses: randomness tied to the batch, evidence of a failure, and a stop on request."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from lightning_modules.base import NonFiniteLossError
from lightning_modules.callbacks.best_and_last import validation_values
from lightning_modules.callbacks.budget import batches_done, is_between_steps, loggers_step
from lightning_modules.signals import Interrupted
from machine.slurm import requeue_signals
from machine.system import STOPPING, on_alarm, set_alarm

GRACE_SECONDS = 5.0
"""How long after a signal the part in work may go on; where there are no alarms, until `SignalGuard` ends the process."""
REQUEUE_SECONDS = 60.0
"""The same after the signal of Slurm that comes long before the end, as `sbatch --signal=USR1@90` has it: for long batches."""


class BatchSeed(Callback):
    """Tie dropout and every other draw of the global generator to (seed, batch of the training, rank).

    A run resumed after any batch then draws what the uninterrupted run drew, without a generator state in the checkpoint.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: Any) -> None:
        """Seed the global generators of this batch."""
        mixed = (self.seed * 1_000_003 + batches_done(trainer)) * 1_000_003 + trainer.global_rank
        torch.manual_seed(mixed % 2**63)


class NonFiniteReport(Callback):
    """Write the batch that made the loss NaN or infinite to `nonfinite.json`, so that it can be looked at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Save the indices when the exception is a non-finite loss."""
        if isinstance(exception, NonFiniteLossError):
            report = {"indices": exception.indices, "epoch": trainer.current_epoch, "global_step": trainer.global_step}
            (self.folder / "nonfinite.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


class EpochReport(Callback):
    """Keep every validation in `epochs.jsonl`, a line each, for whoever watches the run from outside.

    A line says in which epoch it was, and after how many steps, as the loggers count them. A run that was killed between a
    validation and its checkpoint repeats it: its line is written anew.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget what came after the checkpoint that a run goes on from."""
        if trainer.is_global_zero and (self.folder / "epochs.jsonl").is_file():
            self._write(_lines_before(self.folder / "epochs.jsonl", trainer.current_epoch, loggers_step(trainer) + 1))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the line, but for the check before training, and from one process."""
        if trainer.is_global_zero and not trainer.sanity_checking:
            epoch, step = trainer.current_epoch, loggers_step(trainer) + 1
            line = json.dumps({"epoch": epoch, "step": step} | validation_values(trainer))
            self._write([*_lines_before(self.folder / "epochs.jsonl", epoch, step), line])

    def _write(self, lines: list[str]) -> None:
        path = self.folder / "epochs.jsonl"
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")
        os.replace(partial, path)


def _lines_before(path: Path, epoch: int, step: int) -> list[str]:
    """Return the whole lines about what came earlier; one that a killed run wrote half is left out.

    Args:
        path: of the file; it need not be there.
        epoch: that decides about lines without a step, which versions before this one wrote.
        step: of the training.
    """
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return [line for line in text.splitlines() if _is_before(line, epoch, step)]


def _is_before(line: str, epoch: int, step: int) -> bool:
    try:
        told = json.loads(line)
        return float(told["step"]) < step if "step" in told else float(told["epoch"]) < epoch
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return False


class TrainingClock(Callback):
    """Count the seconds of training and validation over every resume; those after the checkpoint gone on from are lost."""

    def __init__(self) -> None:
        self._before = 0.0
        self._core_before: float | None = 0.0
        self._started: tuple[float, float] | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start."""
        self._started = time.monotonic(), time.process_time()

    def seconds(self) -> float:
        """Return how long the run has trained by now."""
        return self._before + (0.0 if self._started is None else time.monotonic() - self._started[0])

    def core_seconds(self) -> float | None:
        """Return how long the cores of this process were at work meanwhile; None if a part of the run did not count it."""
        if self._core_before is None:
            return None
        return self._core_before + (0.0 if self._started is None else time.process_time() - self._started[1])

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"seconds": self.seconds(), "core_seconds": self.core_seconds()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there; checkpoints of versions before this one do not have the time of the cores."""
        self._before, self._core_before = state_dict["seconds"], state_dict.get("core_seconds")


class StopOnSignal(Callback):
    """While entered, SIGINT and SIGTERM end a training after the batch in flight, and a second signal ends the process.

    So does the signal by which Slurm tells of the end of a job that is to be queued again.

    What is at work when a signal comes, be it a batch, a validation or a test, has `GRACE_SECONDS` to come to its end, or
    `REQUEUE_SECONDS`. Then
    `Interrupted` is raised in it. Whoever runs it can ask afterwards what came meanwhile.

    Attributes:
        received: the signal's number once one came, else None.
        overdue: whether `Interrupted` was raised.
        stops: whether a training ends for a signal, which another process may have received.
    """

    def __init__(self, grace_seconds: float = GRACE_SECONDS) -> None:
        self.received: int | None = None
        self.overdue = self.stops = False
        self._grace_seconds = grace_seconds
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "StopOnSignal":
        """Take over the signals (only the main thread may)."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._stop) for number in (*STOPPING, *requeue_signals())}
            self._before |= on_alarm(self._interrupt)
        return self

    def __exit__(self, *failure: object) -> None:
        """Give the signals back."""
        if self._before:
            set_alarm(0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take the signals back from Lightning, whose own handler would end the run without its results."""
        self._take_back()

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Take them back here too, where Lightning's handler would also make the exit code 0."""
        self._take_back()

    def _take_back(self) -> None:
        for number in (*STOPPING, *requeue_signals()):
            if number in self._before:
                signal.signal(number, self._stop)

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        """Stop all processes at the same batch, or they would wait for each other forever."""
        stop = self.received is not None
        if trainer.world_size > 1:
            stop = trainer.strategy.reduce_boolean_decision(stop, all=False)
        self.stops = self.stops or stop
        trainer.should_stop = trainer.should_stop or (stop and is_between_steps(pl_module))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        again = self.received is not None
        self.received = self.received or number
        for own in STOPPING:
            signal.signal(own, self._before[own])
        if again and number in STOPPING:  # Lightning gives the handler back at the end of a test
            signal.raise_signal(number)
        elif not again:
            set_alarm(self._grace_seconds if number in STOPPING else REQUEUE_SECONDS)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.overdue = True
        assert self.received is not None
        raise Interrupted(self.received)
