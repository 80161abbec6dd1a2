"""Real trainings with a cosine: continued with more epochs it ends with them; with as many it is the same to the last bit."""

import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingLR
from torch.utils.data import DataLoader

from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.callbacks.configured_rates import ConfiguredRates

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
