"""MU-GAN's training as a whole, with all of its networks: it learns, validation moves nothing, and bf16 stays finite."""

from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from lightning_modules.callbacks.averaging import WeightEMA
from lightning_modules.mugan import MUGANModule
from models.autoencoder import Autoencoder
from models.discriminator import Discriminator
from models.mugan import MUGANGenerator


class Examples(pl.LightningDataModule):
    """Two pairs at 4 kHz, as one batch over and over: chords, and the chords with noise 10 dB below them."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def __init__(self, batches: int) -> None:
        super().__init__()
        time, hz = torch.arange(256) / 4000, torch.tensor([[[220.0], [660.0]], [[330.0], [550.0]]])
        clean = 0.2 * torch.sin(2 * torch.pi * hz * time).sum(dim=1, keepdim=True)
        noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
        corrupted = clean + 10**-0.5 * clean.square().mean().sqrt() * noise
        self.pairs = [{"clean": clean[n], "corrupted": corrupted[n], "index": n} for n in range(2)] * batches

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=2)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs[:2], batch_size=2)  # type: ignore[arg-type]


def make(norm: str, rate: float = 3e-3) -> MUGANModule:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=rate)
    return MUGANModule(
        net=MUGANGenerator(depth=2, filters=[16, 32], kernels=[3, 9], dropout=0.0),
        sample_rate=4000,
        loss_weights={"log_mse": 1.0, "feature": 1.0, "adversarial": 1e-2},
        discriminator=partial(Discriminator, depth=2, filters=[4, 8, 8], kernels=[3, 9], dropout=0.0, hidden=8, norm=norm),
        autoencoder=partial(Autoencoder, depth=1, filters=[8], kernels=[3, 9], dropout=0.0, norm=norm),
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        autoencoder_optimizer=adam,
        autoencoder_loss="log_mse",
        feature_distance="log_mse",
    )


def fit(module: MUGANModule, batches: int, *callbacks: pl.Callback, **settings: Any) -> pl.Trainer:
    quiet: dict[str, Any] = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, enable_model_summary=False, callbacks=list(callbacks), **quiet, **settings
    )
    trainer.fit(module, datamodule=Examples(batches))
    return trainer


class Buffers(pl.Callback):
    """Keep what the networks' buffers are before and after every validation, around whatever other callbacks do."""

    def __init__(self) -> None:
        self.before: list[dict[str, Tensor]] = []
        self.after: list[dict[str, Tensor]] = []

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.before.append(buffers_of(pl_module))

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.after.append(buffers_of(pl_module))


def buffers_of(module: pl.LightningModule) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.named_buffers() if not name.startswith("scores.")}


def test_one_batch_is_learned_above_20_db_with_discriminator_and_autoencoder_on() -> None:
    module = make("batch")
    trainer = fit(module, 80, num_sanity_val_steps=0)
    assert {"train/adversarial", "train/feature", "autoencoder/loss", "discriminator/loss"} <= set(trainer.callback_metrics)
    assert float(trainer.callback_metrics["val/snr_db"]) > 20
    assert float(trainer.callback_metrics["val/corrupted_snr_db"]) < 12


def test_validation_within_a_training_moves_no_buffer_of_any_network() -> None:
    watch = Buffers()
    fit(make("batch"), 4, watch, WeightEMA(0.9), val_check_interval=2)
    assert len(watch.before) == 3  # the sanity check too
    assert any(name.startswith("discriminator.") for name in watch.before[0])
    assert any(name.startswith("autoencoder.") for name in watch.before[0])
    for before, after in zip(watch.before, watch.after, strict=True):
        assert [name for name, value in before.items() if not torch.equal(value, after[name])] == []
    assert any(not torch.equal(value, watch.before[2][name]) for name, value in watch.before[1].items())


@pytest.mark.parametrize("norm", ["batch", "spectral"])
def test_bf16_trains_all_networks_to_finite_weights(norm: str) -> None:
    module = make(norm)
    start = {name: value.clone() for name, value in module.named_parameters()}
    fit(module, 4, precision="bf16-mixed")
    assert all(value.isfinite().all() for value in module.state_dict().values())
    moved = {name.split(".")[0] for name, value in module.named_parameters() if not torch.equal(value, start[name])}
    assert moved == {"net", "discriminator", "autoencoder"}
