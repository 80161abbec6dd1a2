"""What the tests of adversarial training share: a generator and a discriminator of a few weights, and their data."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.callbacks.best_and_last import LastEpoch


class Filter(nn.Module):
    """Add a trained filter of the input to it, with a running statistic that training moves."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(1, 1, 3, padding=1)
        self.norm = nn.BatchNorm1d(1)

    def forward(self, corrupted: Tensor) -> Tensor:
        return corrupted + 0.1 * self.norm(self.conv(corrupted))


class Judge(nn.Module):
    """Judge by one convolution, with running statistics that training moves."""

    def __init__(self, norm: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 4, 5, padding=2)
        self.norm = nn.BatchNorm1d(4) if norm else nn.Identity()
        self.last = nn.Conv1d(4, 1, 1)

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        hidden = self.norm(self.conv(torch.cat([signal, corrupted], dim=1))).relu()
        return self.last(hidden), [hidden]


class Examples(pl.LightningDataModule):
    """Eight pairs at 4 kHz: noise, and the noise with other noise on it."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def __init__(self) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        clean, noise = torch.randn(2, 8, 1, 64, generator=draw)
        self.pairs = [{"clean": clean[n], "corrupted": clean[n] + 0.3 * noise[n], "index": n} for n in range(8)]

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = train_dataloader


def make(norm: bool = True, rate: float = 0.01, **settings: Any) -> AdversarialModule:
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=rate)
    weights = {"l2": 1.0, "adversarial": 0.1} | settings.pop("loss_weights", {})
    judge = partial(Judge, norm)
    return AdversarialModule(
        Filter(), 4000, weights, discriminator=judge, generator_optimizer=adam, discriminator_optimizer=adam, **settings
    )


QUIET: dict[str, Any] = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}


def fit(
    module: AdversarialModule, epochs: int = 1, folder: Path | None = None, look: "Watch | None" = None, **settings: Any
) -> pl.Trainer:
    callbacks: list[pl.Callback] = [*([look] if look else []), *([LastEpoch(folder)] if folder else [])]
    kept = bool(folder)
    trainer = pl.Trainer(
        max_epochs=epochs, callbacks=callbacks, enable_checkpointing=kept, log_every_n_steps=1, **QUIET, **settings
    )
    last = folder / "last.ckpt" if folder is not None and (folder / "last.ckpt").exists() else None
    trainer.fit(module, datamodule=Examples(), ckpt_path=last, weights_only=True)
    return trainer


def state_of(network: nn.Module | None) -> dict[str, Tensor]:
    assert network is not None
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, second[name]) for name, value in first.items())


class Watch(pl.Callback):
    """Call a function with the module after every batch."""

    def __init__(self, look: Callable[[Any], None]) -> None:
        self.look = look

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
        self.look(pl_module)
