"""How long a training step takes here: a few real ones on noise, of which nothing is kept."""

import json
import math
import time
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch.utils.data import DataLoader

from conf.compose import create
from conf.settings import TrainSettings
from lightning_modules.commands.disk import STEERING
from lightning_modules.commands.starting import method_to_train
from lightning_modules.commands.train import make_trainer

STEPS = 3
"""That are timed at most; the fastest counts, for the first one prepares the others."""
ENOUGH_SECONDS = 10.0
"""A model whose steps have taken so long is timed no more."""
LEVEL = 0.1
WITHOUT_END = {"max_epochs": 1, "max_time": None, "limit_train_batches": STEPS, "limit_val_batches": 0, "num_sanity_val_steps": 0}
ALONE = {"devices": 1, "num_nodes": 1, "strategy": "auto", "enable_progress_bar": False, "log_every_n_steps": STEPS + 1}


class StepTimer:
    """Time steps of trainings; what several of them share is timed once."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    @property
    def timed(self) -> int:
        """Return how many different trainings were timed."""
        return len(self._seconds)

    def seconds(self, settings: TrainSettings) -> float:
        """Return how long a step of a training takes, without reading its recordings.

        Raises:
            ValueError: for anything wrong with its configuration.
        """
        key = json.dumps(cost_of(settings.config), sort_keys=True)
        if key not in self._seconds:
            self._seconds[key] = _timed(settings)
        return self._seconds[key]


def cost_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides how long a step takes: no rates, and of weights only whether their loss is computed."""
    model = {name: value for name, value in config["model"].items() if not any(word in name for word in STEERING)}
    weights = {name: bool(value) for name, value in (model.pop("loss_weights", None) or {}).items()}
    data = {name: config["data"][name] for name in ("window_samples", "batch_size", "channels", "sample_rate")}
    trainer = {name: config["trainer"].get(name) for name in ("accelerator", "precision", "accumulate_grad_batches")}
    return {"model": model, "weights": weights, "data": data, "trainer": trainer, "corruption": config["corruption"]}


def gpus() -> int:
    """Return how many GPUs this machine has."""
    return torch.cuda.device_count()


def _timed(settings: TrainSettings) -> float:
    config = settings.config
    alone = {**config, "trainer": {**config["trainer"], **WITHOUT_END, **ALONE, "val_check_interval": None}}
    clock = _Clock()
    trainer = make_trainer(alone, logger=False, callbacks=[clock], enable_checkpointing=False)
    with torch.random.fork_rng():
        torch.manual_seed(settings.seed)
        module = method_to_train(settings)
        module.prepare_training()
        trainer.fit(module, datamodule=_Noise(create(config, "data"), config["data"]))
    return min(clock.taken, default=math.nan)


class _Clock(Callback):
    """Take the time of every step, and end the training after enough of them."""

    def __init__(self) -> None:
        self.taken: list[float] = []
        self._started = 0.0

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: Any) -> None:
        """Start to measure."""
        self._started = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *batch: Any) -> None:
        """Measure when the device has done what it was given."""
        if pl_module.device.type == "cuda":
            torch.cuda.synchronize(pl_module.device)
        self.taken.append(time.perf_counter() - self._started)
        trainer.should_stop = sum(self.taken) > ENOUGH_SECONDS


class _Noise(pl.LightningDataModule):
    """Batches of noise, (B, C, T), corrupted as those of a data module, none of whose recordings is opened."""

    def __init__(self, data: Any, described: Mapping[str, Any]) -> None:
        super().__init__()
        self._data, self.sample_rate, self.cutoff_hz, self.seed = data, data.sample_rate, data.cutoff_hz, data.seed
        size = (described["batch_size"], described["channels"], described["window_samples"])
        clean = LEVEL * torch.randn(size, generator=torch.Generator().manual_seed(0))
        self._batch = {"clean": clean, "index": torch.arange(size[0])}

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the same batch a few times."""
        return DataLoader([self._batch] * STEPS, batch_size=None)  # type: ignore[arg-type]  # a list is a data set

    val_dataloader = train_dataloader

    def on_before_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> Any:
        """Seed the corruption."""
        return self._data.on_before_batch_transfer(batch, dataloader_idx)

    def on_after_batch_transfer(self, batch: dict[str, Any], dataloader_idx: int) -> Any:
        """Corrupt the batch."""
        return self._data.on_after_batch_transfer(batch, dataloader_idx)
