"""Real trainings with a cosine: continued with more epochs it ends with them; with as many it is the same to the last bit."""

import math
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR, ExponentialLR, ReduceLROnPlateau
from torch.utils.data import DataLoader

from datamodules.samplers import EpochSampler, LateLoader
from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.callbacks.budget import Budget
from lightning_modules.callbacks.configured_rates import (
    ConfiguredRates,
    _restore_groups,
    _restore_plateau,
    _settings_of,
    _settings_of_group,
)
from lightning_modules.callbacks.mid_epoch import MidEpoch
from lightning_modules.training.schedules import as_list, step_after_batch, step_after_epoch

BASE, LEAST = 0.8, 0.1


class Falling(pl.LightningModule):
    """One weight, and the rate that every epoch was trained with."""

    def __init__(self, length_epochs: int, manual: bool) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.length_epochs, self.automatic_optimization = length_epochs, not manual
        self.rates: list[float] = []

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        optimizer: Any = self.optimizers()
        self.rates.append(optimizer.param_groups[0]["lr"])
        loss = self.weight.square()
        if not self.automatic_optimization:
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        return loss

    def on_train_epoch_end(self) -> None:
        if not self.automatic_optimization:
            self.lr_schedulers().step()  # type: ignore[union-attr, call-arg]

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.SGD(self.parameters(), lr=BASE)
        return [optimizer], [CosineAnnealingLR(optimizer, self.length_epochs, LEAST)]

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(torch.zeros(1, 1))  # type: ignore[arg-type]


class StopAfter(Callback):
    def __init__(self, epochs: int) -> None:
        self.epochs = epochs

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        trainer.should_stop = trainer.current_epoch + 1 >= self.epochs


def fit(folder: Path, epochs: int, stop: int = 99, manual: bool = False) -> Falling:
    module, last = Falling(epochs, manual), folder / "last.ckpt"
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[ConfiguredRates(), StopAfter(stop), LastEpoch(folder)],
    )
    trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=True)
    return module


def cosine(epoch: int, length: int) -> float:
    return LEAST + (BASE - LEAST) * (1 + math.cos(math.pi * epoch / length)) / 2


@pytest.mark.parametrize("manual", [False, True])
@pytest.mark.parametrize("done", [2, 4])
def test_continued_with_more_epochs_the_cosine_ends_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], done: int, manual: bool
) -> None:
    fit(tmp_path, 4, done, manual)
    rates = fit(tmp_path, 8, manual=manual).rates
    assert rates == pytest.approx([cosine(epoch, 8) for epoch in range(done, 8)])
    told = [line for line in capsys.readouterr().out.splitlines() if "cosine" in line]
    assert len(told) == 1
    assert f"now ends after 8 epochs, not 4: after epoch {done} the learning rate is" in told[0]


def test_continued_with_as_many_epochs_it_is_the_same_to_the_last_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = fit(tmp_path / "whole", 6)
    fit(tmp_path / "parts", 6, stop=3)
    rest = fit(tmp_path / "parts", 6)
    assert rest.rates == whole.rates[3:]
    assert torch.equal(rest.weight, whole.weight)
    assert "cosine" not in capsys.readouterr().out


def test_once_stretched_it_goes_on_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fit(tmp_path, 4, stop=2)
    fit(tmp_path, 8, stop=5)
    capsys.readouterr()
    assert fit(tmp_path, 8).rates == pytest.approx([cosine(epoch, 8) for epoch in (5, 6, 7)])
    assert "cosine" not in capsys.readouterr().out


class Steered(pl.LightningModule):
    """One weight, an optimizer and a schedule that are made as asked for, and the rates of every batch."""

    def __init__(self, optimizer: Any, schedule: Any = None) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.optimizer, self.schedule = optimizer, schedule
        self.rates: list[float] = []
        self.automatic_optimization = False

    def training_step(self, batch: Tensor, batch_idx: int) -> None:
        optimizer: Any = self.optimizers()
        self.rates.append(optimizer.param_groups[0]["lr"])
        optimizer.zero_grad()
        self.manual_backward(self.weight.square())
        optimizer.step()

    def on_train_batch_end(self, *step: Any) -> None:
        step_after_batch(as_list(self.lr_schedulers()), self.trainer)

    def on_train_epoch_end(self) -> None:
        step_after_epoch(as_list(self.lr_schedulers()), self.trainer)

    def configure_optimizers(self) -> Any:
        optimizer = self.optimizer(self.parameters())
        return optimizer if self.schedule is None else ([optimizer], [self.schedule(optimizer)])


class FourBatches(pl.LightningDataModule):
    def train_dataloader(self) -> DataLoader[Any]:
        return LateLoader(torch.zeros(100, 1), EpochSampler(4), 1)  # type: ignore[arg-type]


def steer(
    folder: Path, module: Steered, steps: int | None = None, epochs: int = -1, time: str | None = None, *added: Callback
) -> Steered:
    last, quiet = folder / "last.ckpt", {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    lengths = {"max_epochs": epochs, "max_time": time}
    callbacks = [MidEpoch(), ConfiguredRates(), *added, LastEpoch(folder)]
    trainer = pl.Trainer(accelerator="cpu", callbacks=callbacks, **lengths, **quiet)  # type: ignore[arg-type]
    trainer.callbacks.append(Budget(steps))  # type: ignore[attr-defined]
    trainer.fit(module, datamodule=FourBatches(), ckpt_path=last if last.exists() else None, weights_only=True)
    return module


def adam(**settings: Any) -> Any:
    return partial(torch.optim.Adam, **settings)


def cosine_over(length: int, least: float = 0.0) -> Any:
    return partial(CosineAnnealingLR, T_max=length, eta_min=least)


def test_cosine_over_steps_ends_in_the_middle_of_an_epoch_and_goes_on_to_a_later_end(tmp_path: Path) -> None:
    whole = steer(tmp_path / "a", Steered(adam(lr=BASE), cosine_over(10)), steps=10).rates
    assert whole == pytest.approx([BASE * (1 + math.cos(math.pi * step / 10)) / 2 for step in range(10)])
    steer(tmp_path / "b", Steered(adam(lr=BASE), cosine_over(6)), steps=6)
    rest = steer(tmp_path / "b", Steered(adam(lr=BASE), cosine_over(10)), steps=10).rates
    assert rest == pytest.approx(whole[6:])


def test_cosine_over_steps_ends_with_the_epochs_where_they_end_first(tmp_path: Path) -> None:
    rates = steer(tmp_path, Steered(adam(lr=BASE), cosine_over(100)), steps=100, epochs=2).rates
    assert rates == pytest.approx([BASE * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(8)])


def test_schedule_of_epochs_becomes_one_of_steps(tmp_path: Path) -> None:
    steer(tmp_path, Steered(adam(lr=BASE), cosine_over(1)), epochs=1)
    rates = steer(tmp_path, Steered(adam(lr=BASE), cosine_over(8)), steps=8).rates
    assert rates == pytest.approx([BASE * (1 + math.cos(math.pi * step / 8)) / 2 for step in range(4, 8)])


@pytest.mark.parametrize(("before", "after"), [(None, None), (0.5, None), (None, 0.5), (0.5, 0.5)])
def test_another_rate_takes_effect_whatever_the_schedule_was_and_is(tmp_path: Path, before: Any, after: Any) -> None:
    schedules = [None if factor is None else partial(ExponentialLR, gamma=factor) for factor in (before, after)]
    steer(tmp_path, Steered(adam(lr=BASE), schedules[0]), epochs=2)
    rates = steer(tmp_path, Steered(adam(lr=0.2), schedules[1]), epochs=4).rates
    expected = [0.05] * 4 + [0.025] * 4 if after else [0.2] * 8
    assert rates == pytest.approx(expected)


def test_settings_of_the_optimizer_are_those_configured_and_its_state_is_kept(tmp_path: Path) -> None:
    steer(tmp_path, Steered(adam(lr=0.1)), steps=3)
    module = Steered(partial(torch.optim.AdamW, lr=0.1, weight_decay=0.5, betas=(0.5, 0.7)))
    steer(tmp_path, module, steps=4)
    optimizer: Any = module.trainer.optimizers[0]
    assert (optimizer.param_groups[0]["weight_decay"], tuple(optimizer.param_groups[0]["betas"])) == (0.5, (0.5, 0.7))
    assert optimizer.state[module.weight]["step"] == 4


def test_plateau_keeps_what_it_has_reduced_and_takes_other_settings(tmp_path: Path) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=BASE)
    schedule = ReduceLROnPlateau(optimizer, "max", factor=0.5, patience=0)
    for _ in range(2):
        schedule.step(1.0)
    other = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2 * BASE)
    wanted = ReduceLROnPlateau(other, "max", factor=0.1, patience=3)
    settings, groups = _settings_of(wanted), [_settings_of_group(group) for group in other.param_groups]
    _restore_plateau(schedule, settings)
    _restore_groups(optimizer, groups, [BASE], is_steered=False)
    assert (schedule.factor, schedule.patience, schedule.best) == (0.1, 3, 1.0)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2 * BASE * 0.5)
