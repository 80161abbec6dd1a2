"""Where the time of a training goes: torch's own profiler, over a few batches."""

from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch.profiler import profile

ROWS = 40
"""Of profile.txt: the operations that take the most time."""


class BatchProfiler(Callback):
    """Profile some batches of the first epoch and write `profile.txt`, a table, and `profile.json`, a trace for chrome://tracing.

    A training or an epoch that ends before is written as far as it went.

    Args:
        folder: of the run.
        first_batch: the batch to start with; those before warm up.
        batches: how many.

    Raises:
        ValueError: if one is no whole number, or there is no batch.
    """

    def __init__(self, folder: str, first_batch: int = 5, batches: int = 10) -> None:
        counted = isinstance(first_batch, int) and isinstance(batches, int) and first_batch >= 0 and batches >= 1
        if not counted:
            told = f"first_batch={first_batch}, callbacks.profiler.batches={batches}"
            raise ValueError(f"callbacks.profiler.{told}: must be whole numbers, from 0 and from 1 on")
        self.folder, self.first_batch, self.last_batch = Path(folder), first_batch, first_batch + batches - 1
        self._profile: profile | None = None
        self._done = False

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int) -> None:
        """Start with the first batch."""
        if trainer.is_global_zero and not self._done and self._profile is None and batch_idx == self.first_batch:
            self._profile = profile()
            self._profile.start()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """End with the last."""
        if batch_idx == self.last_batch:
            self._write()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """End with an epoch that is shorter."""
        self._write()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """End with a training that is cut short."""
        self._write()

    def _write(self) -> None:
        if self._profile is None:
            return
        self._profile.stop()
        table = self._profile.key_averages().table(sort_by="self_cpu_time_total", row_limit=ROWS)
        (self.folder / "profile.txt").write_text(table + "\n", encoding="utf-8")
        self._profile.export_chrome_trace(str(self.folder / "profile.json"))
        self._profile, self._done = None, True
