"""The smallest networks, pairs and recipes that train: for tests of what a training does, not of how well it goes."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.collaborative_gan import CollaborativeGANModule
from lightning_modules.progressive import ProgressiveModule
from lightning_modules.single_step import SingleStepModule
from lightning_modules.staged import StagedModule
from lightning_modules.training.shaping import Shaping
from models.cold_diffusion import ColdDiffusionRNN
from models.conv_rnn import ConvRNN
from models.mugan import MUGANGenerator
from models.refinement import Refinement

RATE_HZ = 4000
SGD = partial(torch.optim.SGD, lr=0.05)
QUIET: Mapping[str, Any] = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}


class Filter(nn.Module):
    """Add a trained filter of the input to it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted + 0.1 * self.conv(corrupted)


class Judge(nn.Module):
    """Judge every sample by one convolution of the signal and the corrupted one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5, padding=2)
        self.last = nn.Conv1d(4, 1, 1)

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        hidden = self.conv(torch.cat([signal, corrupted], dim=1)).relu()
        return self.last(hidden), [hidden]


class Pairs(pl.LightningDataModule):
    """Eight pairs of noise with other noise on it, in batches of four."""

    sample_rate = RATE_HZ
    cutoff_hz = None

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        clean, noise = torch.randn(2, 8, 1, 64, generator=torch.Generator().manual_seed(0))
        self.pairs = [{"clean": clean[n], "corrupted": clean[n] + 0.3 * noise[n], "index": n} for n in range(8)]

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=4)  # type: ignore[arg-type]

    val_dataloader = train_dataloader

    def batch(self) -> dict[str, Tensor]:
        """Return the first batch."""
        return next(iter(self.train_dataloader()))  # type: ignore[no-any-return]


def adversarial(**settings: Any) -> AdversarialModule:
    """Return a filter and its judge."""
    weights = {"l2": 1.0, "adversarial": 0.1} | settings.pop("loss_weights", {})
    return AdversarialModule(
        Filter(), RATE_HZ, weights, discriminator=Judge, generator_optimizer=SGD, discriminator_optimizer=SGD, **settings
    )


def collaborative_gan(**settings: Any) -> CollaborativeGANModule:
    """Return a generator whose output is refined, and its judge, which is shaped from the start."""
    net = MUGANGenerator(depth=1, filters=(4,), kernels=(3,), dropout=0.0)
    nn.init.normal_(net.last.weight, std=0.1)
    return CollaborativeGANModule(
        net=net,
        sample_rate=RATE_HZ,
        loss_weights={"l2": 1.0, "adversarial": 0.1},
        discriminator=Judge,
        generator_optimizer=SGD,
        discriminator_optimizer=SGD,
        autoencoder=nn.Identity,
        autoencoder_optimizer=SGD,
        refinement=Refinement(steps=4, step_size=0.2),
        shaping=Shaping(after_epochs=0, patience=9),
        **settings,
    )


class Code(nn.Module):
    """An autoencoder of one convolution to and fro."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = nn.Conv1d(1, 4, 5, padding=2)
        self.decode = nn.Conv1d(4, 1, 5, padding=2)

    def forward(self, signal: Tensor) -> Tensor:
        restored: Tensor = self.decode(self.encode(signal).relu())
        return restored


STAGES: Mapping[str, Mapping[str, Any]] = {
    "first": {"train": ["autoencoder"], "epochs": 1},
    "second": {"train": ["generator", "discriminator"], "epochs": None},
}


def staged(**settings: Any) -> StagedModule:
    """Return a filter, its judge, and a code that is trained for an epoch before them."""
    defaults: dict[str, Any] = {"loss_weights": {"l2": 1.0, "adversarial": 0.1, "feature": 1.0}, "stages": STAGES}
    return StagedModule(
        net=Filter(),
        sample_rate=RATE_HZ,
        discriminator=Judge,
        autoencoder=Code,
        generator_optimizer=SGD,
        discriminator_optimizer=SGD,
        autoencoder_optimizer=SGD,
        **(defaults | settings),
    )


def progressive(**settings: Any) -> ProgressiveModule:
    """Return a recurrent network whose number of steps is drawn, and which of them are compared."""
    net = ConvRNN(steps=5, state_channels=6, hidden_channels=8, fft_samples=64, hop_samples=16)
    return ProgressiveModule(net, RATE_HZ, {"l2": 1.0}, SGD, training_steps=[3, 9], compared_steps=2, **settings)


def single_step(**settings: Any) -> SingleStepModule:
    """Return a recurrent network that is trained on one of sixteen steps."""
    net = ColdDiffusionRNN(16, 2, state_channels=6, hidden_channels=8, bias=False, fft_samples=64, hop_samples=16)
    return SingleStepModule(net, RATE_HZ, {"l2": 1.0}, SGD, **settings)


RECIPES: Mapping[str, Callable[..., RestorationModule]] = {
    "adversarial": adversarial,
    "collaborative_gan": collaborative_gan,
    "progressive": progressive,
    "single_step": single_step,
    "staged": staged,
}


def make(recipe: str, **settings: Any) -> Any:
    """Return a recipe with the same weights every time."""
    torch.manual_seed(0)
    return RECIPES[recipe](**settings)


def fit(module: Any, seed: int = 0, epochs: int = 1, batches: int | None = None, folder: Path | None = None) -> Any:
    """Train a module on the pairs, or go on from what a folder keeps, and return it."""
    kept = [] if folder is None else [LastEpoch(folder)]
    last = folder / "last.ckpt" if folder is not None and (folder / "last.ckpt").exists() else None
    settings: dict[str, Any] = {**QUIET, "num_sanity_val_steps": 0, "log_every_n_steps": 1, "limit_train_batches": batches}
    trainer = pl.Trainer(max_epochs=epochs, callbacks=kept, enable_checkpointing=bool(kept), **settings)
    trainer.fit(module, datamodule=Pairs(seed), ckpt_path=last, weights_only=True)
    return module
