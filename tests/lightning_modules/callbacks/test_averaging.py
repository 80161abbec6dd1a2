"""The moving average against its formula, over one run and over two parts of it."""

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.callbacks.best_and_last import LastEpoch

DECAY = 0.75


class Counting(pl.LightningModule):
    """Add 1 to the weight in every step, and keep what validation sees and where the average is."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(0.0))
        self.seen: list[float] = []
        self.devices: set[str] = set()

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        average = next(callback for callback in self.trainer.callbacks if isinstance(callback, WeightEMA))._average_model
        assert average is not None
        self.devices |= {value.device.type for value in average.state_dict().values()}
        return -self.weight

    def validation_step(self, batch: Tensor, batch_idx: int) -> None:
        self.seen.append(self.weight.item())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1.0)

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(torch.zeros(4, 1))  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(torch.zeros(1, 1))  # type: ignore[arg-type]


def fit(folder: Path, epochs: int, accelerator: str = "cpu") -> Counting:
    module = Counting()
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=1,
        max_epochs=epochs,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        callbacks=[WeightEMA(DECAY), LastEpoch(folder)],
    )
    last = folder / "last.ckpt"
    trainer.fit(module, ckpt_path=last if last.exists() else None, weights_only=True)
    return module


def by_hand(steps: int) -> float:
    average = 1.0  # the weight after the first step
    for weight, decay in zip(range(2, steps + 1), [2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15, 7 / 16, 8 / 17], strict=False):
        average = decay * average + (1 - decay) * weight
    return average


def test_average_of_many_steps_has_the_decay_that_is_asked_for() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    average = AveragedModel(layer, **WeightEMA(DECAY)._kwargs)
    for number in range(100):
        layer.weight.data.fill_(number)
        average.update_parameters(layer)
    before = average.module.weight.item()
    layer.weight.data.fill_(200)
    average.update_parameters(layer)
    assert average.module.weight.item() == pytest.approx(DECAY * before + (1 - DECAY) * 200)


def test_average_is_the_formula_in_validation_checkpoint_and_result(tmp_path: Path) -> None:
    module = fit(tmp_path, epochs=2)
    assert module.seen == pytest.approx([by_hand(4), by_hand(8)])
    assert module.weight.item() == pytest.approx(by_hand(8))
    checkpoint = torch.load(tmp_path / "last.ckpt", weights_only=True)
    assert checkpoint["state_dict"]["weight"].item() == pytest.approx(by_hand(8))
    assert checkpoint["current_model_state"]["weight"].item() == 8.0


def test_resumed_run_has_the_average_of_the_uninterrupted_one(tmp_path: Path) -> None:
    fit(tmp_path / "parts", epochs=1)
    assert torch.equal(fit(tmp_path / "parts", epochs=3).weight, fit(tmp_path / "whole", epochs=3).weight)


def test_average_follows_the_weights_to_their_device() -> None:
    module, callback, trainer = Counting(), WeightEMA(DECAY), pl.Trainer(accelerator="cpu", logger=False)
    callback.setup(trainer, module, "fit")
    module.to("meta")  # as a strategy moves it to a GPU
    callback.on_fit_start(trainer, module)
    assert callback._average_model is not None
    assert {value.device.type for value in callback._average_model.state_dict().values()} == {"meta"}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_average_lives_where_the_weights_are_also_after_a_resume(tmp_path: Path) -> None:
    for epochs in (1, 2):
        assert fit(tmp_path, epochs, accelerator="gpu").devices == {"cuda"}


def test_running_statistic_is_averaged_and_a_count_is_taken_over() -> None:
    norm, callback = torch.nn.BatchNorm1d(1), WeightEMA(DECAY)
    average = AveragedModel(norm, use_buffers=True, **callback._kwargs)
    for count in (1, 2, 3):
        norm.num_batches_tracked.fill_(count)  # type: ignore[operator]
        norm.running_mean.fill_(count)  # type: ignore[operator, union-attr]
        average.update_parameters(norm)
    assert average.module.num_batches_tracked.item() == 3
    assert average.module.running_mean.item() == pytest.approx(by_hand(3))


@pytest.mark.parametrize("decay", [0.0, 1.0, -0.1, 1.5])
def test_decay_outside_of_zero_to_one_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match=f"ema_decay={decay} must lie between 0 and 1; null trains without an average"):
        WeightEMA(decay)
