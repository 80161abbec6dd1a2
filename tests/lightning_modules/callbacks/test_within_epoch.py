"""Every recipe, killed within an epoch: it goes on from the batch before, to what a training that is not killed comes to."""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback

from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.callbacks.best_and_last import BestEpoch, LastEpoch
from lightning_modules.callbacks.budget import Budget
from lightning_modules.callbacks.common import BatchSeed, StopOnSignal
from lightning_modules.callbacks.mid_epoch import MidEpoch
from lightning_modules.callbacks.within_epoch import WithinEpoch
from tests.lightning_modules.callbacks.test_mid_epoch import Endless, same, state_of, weights_of
from tests.lightning_modules.tiny import QUIET, RECIPES, make

EVERY_BATCH = 1e-9
"""Minutes."""


class KilledError(Exception):
    """Ends a training as nothing else would."""


class Kill(Callback):
    """End a training when a batch is done, before anything else is told of it."""

    def __init__(self, batch: int | None) -> None:
        self.batch = batch

    def on_train_batch_end(self, trainer: pl.Trainer, *step: Any) -> None:
        if self.batch == trainer.fit_loop.epoch_loop.batch_progress.total.ready:
            raise KilledError


class Signaled(StopOnSignal):
    """Hear of a signal in a batch, and let the validation that comes then be cut short."""

    def __init__(self, batch: int | None) -> None:
        super().__init__()
        self.batch = batch

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        if self.batch == trainer.fit_loop.epoch_loop.batch_progress.total.ready:
            self.received = 15
        super().on_train_batch_end(trainer, pl_module, *step)

    def on_validation_epoch_start(self, trainer: pl.Trainer, *rest: Any) -> None:
        if self.stops:
            raise KilledError


def fit(recipe: str, folder: Path, ends: Callback, minutes: float | None = EVERY_BATCH, **options: Any) -> pl.Trainer:
    folder.mkdir(exist_ok=True)
    last = folder / "last.ckpt"
    kept = [WithinEpoch(folder, minutes), BestEpoch(folder, "val/si_sdr_db", "max"), LastEpoch(folder)]
    trainer = pl.Trainer(
        max_epochs=-1,
        callbacks=[ends, BatchSeed(0), MidEpoch(), WeightEMA(0.5), *kept],
        num_sanity_val_steps=0,
        **QUIET,
        **options,
    )
    trainer.callbacks.append(Budget(11))  # type: ignore[attr-defined]
    with contextlib.suppress(KilledError):
        trainer.fit(make(recipe), datamodule=Endless(), ckpt_path=last if last.exists() else None, weights_only=True)
    return trainer


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_killed_in_any_batch_goes_on_to_the_same_state(recipe: str, tmp_path: Path) -> None:
    whole = fit(recipe, tmp_path / "whole", Kill(None), None)
    for batch in (3, 4, 6, 9):
        fit(recipe, tmp_path / "parts", Kill(batch))
        progress = state_of(tmp_path / "parts")["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        assert progress["total"]["completed"] == batch - 1
    parts = fit(recipe, tmp_path / "parts", Kill(None))
    first, second = state_of(tmp_path / "whole"), state_of(tmp_path / "parts")
    for part in ("current_model_state", "optimizer_states"):
        assert same(first[part], second[part])
    assert same(weights_of(first), weights_of(second))
    assert (whole.global_step, whole.current_epoch) == (parts.global_step, parts.current_epoch)
    assert parts.fit_loop.epoch_loop._batches_that_stepped == whole.fit_loop.epoch_loop._batches_that_stepped == 11


def test_validations_within_an_epoch_come_once(tmp_path: Path) -> None:
    regular = {"val_check_interval": 2, "check_val_every_n_epoch": None}
    fit("adversarial", tmp_path / "whole", Kill(None), None, **regular)
    for batch in (2, 3, 4, 7):
        fit("adversarial", tmp_path / "parts", Kill(batch), **regular)
    fit("adversarial", tmp_path / "parts", Kill(None), **regular)
    whole, parts = (torch.load(tmp_path / name / "best.ckpt", weights_only=True) for name in ("whole", "parts"))
    assert (whole["epoch"], whole["global_step"]) == (parts["epoch"], parts["global_step"])
    assert same(whole["state_dict"], parts["state_dict"])
    first, second = state_of(tmp_path / "whole"), state_of(tmp_path / "parts")
    assert same(first["current_model_state"], second["current_model_state"])


@pytest.mark.parametrize("recipe", ["progressive", "adversarial"])
def test_signal_keeps_the_batch_in_flight_before_a_validation_that_is_cut_short(recipe: str, tmp_path: Path) -> None:
    fit(recipe, tmp_path / "whole", Kill(None), None)
    for batch in (2, 7):
        fit(recipe, tmp_path / "parts", Signaled(batch), None)
        progress = state_of(tmp_path / "parts")["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        assert progress["total"]["completed"] == batch
    fit(recipe, tmp_path / "parts", Kill(None), None)
    first, second = state_of(tmp_path / "whole"), state_of(tmp_path / "parts")
    assert same(first["current_model_state"], second["current_model_state"])
    assert same(first["optimizer_states"], second["optimizer_states"])


def test_epoch_that_is_short_enough_is_kept_at_its_end_alone(tmp_path: Path) -> None:
    fit("progressive", tmp_path, Kill(7), 60.0)
    assert state_of(tmp_path)["loops"]["fit_loop"]["epoch_loop.batch_progress"]["total"]["completed"] == 4
