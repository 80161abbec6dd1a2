"""One network, one optimizer: what is trained, how it is clipped and scheduled."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.utils.data import DataLoader

from lightning_modules.base import NonFiniteLossError
from lightning_modules.callbacks.best_and_last import BestEpoch, LastEpoch
from lightning_modules.regression import RegressionModule


class Gain(nn.Module):
    """Multiply by a trained gain, 1 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.gain * corrupted


class RootOfNothing(Gain):
    """Add a term of value 0 whose gradient is 0 / 0."""

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.gain * corrupted + (0 * self.gain).sqrt()


class Examples(pl.LightningDataModule):
    """Four pairs at 4 kHz: a square wave at `level`, and twice as much."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def __init__(self, level: float = 1.0) -> None:
        super().__init__()
        clean = level * torch.tensor([1.0, -1.0]).repeat(1, 32)
        self.pairs = [{"clean": clean, "corrupted": 2 * clean, "index": 10 + number} for number in range(4)]

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = train_dataloader


def fit(module: RegressionModule, data: Examples, epochs: int = 1, folder: Path | None = None, **settings: Any) -> pl.Trainer:
    kept = [] if folder is None else [BestEpoch(folder, "val/snr_db", "max"), LastEpoch(folder)]
    last = folder / "last.ckpt" if folder is not None and (folder / "last.ckpt").exists() else None
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=False,
        callbacks=kept,
        enable_checkpointing=bool(kept),
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )
    trainer.fit(module, datamodule=data, ckpt_path=last, weights_only=True)
    return trainer


def make(**settings: object) -> RegressionModule:
    sgd = partial(torch.optim.SGD, lr=0.1)
    return RegressionModule(Gain(), 4000, loss_weights={"l2": 1.0}, optimizer=sgd, **settings)  # type: ignore[arg-type]


def test_one_step_moves_the_gain_by_rate_times_gradient() -> None:
    module = make()
    batch = {"corrupted": torch.ones(1, 1, 4), "clean": torch.zeros(1, 1, 4), "index": torch.tensor([0])}
    module.log = lambda *_, **__: None  # type: ignore[method-assign]
    module.log_dict = lambda *_, **__: None  # type: ignore[method-assign]
    optimizer = module.configure_optimizers()
    module.training_step(batch, 0).backward()
    optimizer.step()  # type: ignore[union-attr]
    assert module.net.gain.item() == pytest.approx(1.0 - 0.1 * 2.0)


def test_step_by_a_clipped_gradient_has_the_length_asked_for() -> None:
    module = make(gradient_clip_norm=0.5)
    fit(module, Examples())
    assert module.net.gain.item() == pytest.approx(1.0 - 2 * 0.1 * 0.5, abs=1e-6)


@pytest.mark.parametrize("norm", [None, 0.5])
def test_gradient_that_is_not_finite_stops_the_run_before_the_step(norm: float | None) -> None:
    module = make(gradient_clip_norm=norm)
    module.net = RootOfNothing()
    with pytest.raises(NonFiniteLossError, match=r"the gradient is not finite on the batch with indices \[10, 11\]"):
        fit(module, Examples())
    assert module.net.gain.item() == 1.0


@pytest.mark.parametrize("norm", [0, -1.0])
def test_norm_that_stops_all_training_is_refused(norm: float) -> None:
    with pytest.raises(ValueError, match="model.gradient_clip_norm=.* must be positive, or null"):
        make(gradient_clip_norm=norm)


def plateau(**settings: Any) -> RegressionModule:
    """Return a module whose validation stalls from the start: nothing is wrong with silence."""
    return make(scheduler=partial(ReduceLROnPlateau, mode="max", patience=0, factor=0.5), monitor="val/snr_db", **settings)


def learning_rate(trainer: pl.Trainer) -> float:
    return float(trainer.optimizers[0].param_groups[0]["lr"])


def test_plateau_schedule_lowers_the_rate_when_the_monitored_metric_stalls() -> None:
    assert learning_rate(fit(plateau(), Examples(level=0.0), epochs=1)) == 0.1
    assert learning_rate(fit(plateau(), Examples(level=0.0), epochs=3)) == pytest.approx(0.025)


def test_plateau_schedule_leaves_the_rate_while_the_metric_improves() -> None:
    assert learning_rate(fit(plateau(), Examples(level=0.1), epochs=3)) == 0.1


def test_plateau_schedule_counts_validations() -> None:
    trainer = fit(plateau(), Examples(level=0.0), epochs=5, check_val_every_n_epoch=2)
    assert learning_rate(trainer) == pytest.approx(0.05)


@pytest.mark.parametrize("every", [1, 2])
def test_plateau_schedule_of_a_resumed_run_goes_on_where_it_was(tmp_path: Path, every: int) -> None:
    for epochs in range(1, 6):
        resumed = fit(plateau(), Examples(level=0.0), epochs, tmp_path, check_val_every_n_epoch=every)
        whole = fit(plateau(), Examples(level=0.0), epochs, check_val_every_n_epoch=every)
        assert learning_rate(resumed) == learning_rate(whole)


def test_other_schedules_are_stepped_once_an_epoch() -> None:
    module = make(scheduler=partial(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5))
    assert learning_rate(fit(module, Examples(), epochs=3)) == pytest.approx(0.0125)


def test_metrics_and_loss_windows_stay_out_of_the_checkpoint() -> None:
    assert list(make().state_dict()) == ["net.gain"]


def test_loss_is_the_sum_of_its_terms_by_their_weights() -> None:
    sgd = partial(torch.optim.SGD, lr=0.1)
    module = RegressionModule(Gain(), 4000, loss_weights={"l2": 3.0, "l1": 0.5}, optimizer=sgd)
    module.log = module.log_dict = lambda *_, **__: None  # type: ignore[method-assign, assignment]
    batch = {"clean": torch.zeros(1, 1, 4), "corrupted": torch.full((1, 1, 4), 2.0), "index": torch.tensor([0])}
    size = module.restore(batch["corrupted"]).abs().max().item()
    assert module.training_step(batch, 0).item() == pytest.approx(3.0 * size**2 + 0.5 * size)


def test_rate_of_an_epoch_is_logged_once() -> None:
    trainer = fit(make(scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)), Examples(), epochs=3)
    logged = {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("lr")}
    assert logged == {"lr": pytest.approx(0.1 * 0.5**2)}
