"""Processes that train together: none goes on where another one is gone."""

import contextlib
import threading
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback

from lightning_modules.fleet import Fleet, LostProcessError, Watch
from machine.launched import Launched, launched

SOON_SECONDS = 2.0
"""How long to look for the others once something has gone wrong."""


class Companions(Callback):
    """Watch the processes that Lightning starts itself; say of this one when it has done its part or failed.

    Those that torchrun or srun started are watched before there is a trainer.
    """

    def __init__(self) -> None:
        self._watch: Watch | None = None
        self._place: Launched | None = None

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Begin."""
        if trainer.world_size == 1 or self._place is not None:
            return
        self._place = launched()
        if self._place is None:
            ranks = (trainer.global_rank, trainer.world_size, trainer.local_rank, trainer.num_devices)
            self._place = Launched("Lightning", *ranks)
            self._watch = Watch(self._place).start()
            _dismiss_lightnings_own()

    def teardown(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        """Say that the training is over; what comes then needs one process."""
        self._end(0)

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Say that there will be no more of it."""
        self._end(1)

    def _end(self, exit_code: int) -> None:
        if self._watch is not None:
            self._watch.end(exit_code)
        elif self._place is not None:
            with contextlib.suppress(LostProcessError):
                Fleet(self._place, SOON_SECONDS).end(exit_code)


def _dismiss_lightnings_own() -> None:
    """Stop the thread by which Lightning kills the first process, without a word, when another one has failed."""
    for thread in threading.enumerate():
        observer: Any = thread
        if thread.name == "child-process-observer":
            observer._finished = True
