"""Every recipe, ended after some batches of an epoch: what it goes on to is what a training without an end there comes to."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from datamodules.samplers import EpochSampler, LateLoader
from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.callbacks.budget import Budget
from lightning_modules.callbacks.common import BatchSeed, EpochReport
from lightning_modules.callbacks.mid_epoch import MidEpoch
from tests.lightning_modules.tiny import QUIET, RECIPES, Pairs, make


class Numbered(Dataset[dict[str, Any]]):
    """As many pairs as are asked for, each another one."""

    def __getitem__(self, number: int) -> dict[str, Any]:
        clean, noise = torch.randn(2, 1, 64, generator=torch.Generator().manual_seed(number))
        return {"clean": clean, "corrupted": clean + 0.3 * noise, "index": number}


class Endless(Pairs):
    """Epochs of four batches, each of other pairs, from a loader that keeps its place."""

    def __init__(self, samples_per_epoch: int = 8) -> None:
        super().__init__()
        self.samples_per_epoch = samples_per_epoch

    def train_dataloader(self) -> DataLoader[Any]:
        return LateLoader(Numbered(), EpochSampler(self.samples_per_epoch), 2)


def fit(recipe: str, folder: Path, steps: int, samples_per_epoch: int = 8) -> pl.Trainer:
    folder.mkdir(exist_ok=True)
    module, last = make(recipe), folder / "last.ckpt"
    callbacks = [BatchSeed(0), MidEpoch(), EpochReport(folder), WeightEMA(0.5), LastEpoch(folder)]
    trainer = pl.Trainer(max_epochs=-1, callbacks=callbacks, num_sanity_val_steps=0, **QUIET)
    trainer.callbacks.append(Budget(steps))  # type: ignore[attr-defined]
    data = Endless(samples_per_epoch)
    trainer.fit(module, datamodule=data, ckpt_path=last if last.exists() else None, weights_only=True)
    return trainer


def state_of(folder: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(folder / "last.ckpt", weights_only=True)
    return checkpoint


def weights_of(checkpoint: dict[str, Any]) -> dict[str, Tensor]:
    """Return the averaged weights alone: what rules have come to belongs to the module that trains."""
    return {name: value for name, value in checkpoint["state_dict"].items() if not name.endswith("_extra_state")}


def same(first: Any, second: Any) -> bool:
    if isinstance(first, Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(value, second[key]) for key, value in first.items())
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_goes_on_after_any_batch_to_the_same_state(recipe: str, tmp_path: Path) -> None:
    whole = fit(recipe, tmp_path / "whole", 7)
    for steps in (2, 4, 5, 7):
        parts = fit(recipe, tmp_path / "parts", steps)
        assert parts.fit_loop.epoch_loop._batches_that_stepped == steps
    first, second = state_of(tmp_path / "whole"), state_of(tmp_path / "parts")
    for part in ("current_model_state", "optimizer_states"):
        assert same(first[part], second[part])
    assert same(weights_of(first), weights_of(second))
    assert (whole.global_step, whole.current_epoch) == (parts.global_step, parts.current_epoch)
    assert first.get("shaping_losses") == second.get("shaping_losses")


def test_run_whose_batches_are_used_up_trains_no_further(tmp_path: Path) -> None:
    fit("progressive", tmp_path, 5)
    before = state_of(tmp_path)
    assert fit("progressive", tmp_path, 3).global_step == 5
    assert same(before["state_dict"], state_of(tmp_path)["state_dict"])


def test_epoch_of_another_length_is_not_finished_but_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit("progressive", tmp_path, 2)
    trainer = fit("progressive", tmp_path, 5, samples_per_epoch=6)
    assert (trainer.global_step, trainer.current_epoch) == (5, 2)
    assert "the rest of epoch 1 is left out: an epoch has 3 batches now, not 4" in capsys.readouterr().out
