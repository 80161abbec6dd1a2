"""What the tests of the collaborative GAN share: the smallest networks, and their data."""

from functools import partial
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.collaborative_gan import CollaborativeGANModule
from lightning_modules.training.shaping import Shaping
from models.discriminator import Discriminator
from models.mugan import MUGANGenerator
from models.refinement import Refinement

QUIET: dict[str, Any] = {
    "accelerator": "cpu",
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


class Examples(pl.LightningDataModule):
    """Four pairs at 4 kHz, two channels: noise, and the noise with other noise on it."""

    sample_rate = 4000
    cutoff_hz = None
    seed = 0

    def train_dataloader(self) -> DataLoader[Any]:
        draw = torch.Generator().manual_seed(0)
        clean, noise = torch.randn(2, 4, 2, 4096, generator=draw)
        pairs = [{"clean": clean[n], "corrupted": clean[n] + 0.3 * noise[n], "index": n} for n in range(4)]
        return DataLoader(pairs, batch_size=2)  # type: ignore[arg-type]

    val_dataloader = test_dataloader = train_dataloader


def make(norm: str = "batch", **settings: Any) -> CollaborativeGANModule:
    """Return a module whose generator changes its input and whose networks drop out and normalize over the batch."""
    torch.manual_seed(0)
    adam = partial(torch.optim.Adam, lr=1e-3)
    net = MUGANGenerator(depth=2, filters=(8, 8), kernels=(3,), dropout=0.5)
    nn.init.normal_(net.last.weight, std=0.1)
    defaults: dict[str, Any] = {
        "refinement": Refinement(steps=4, step_size=0.2),
        "layer": 1,
        "shaping": Shaping(after_epochs=1, rate_factor=0.1, patience=1),
        "loss_weights": {"l2": 1.0, "adversarial": 0.1},
    }
    return CollaborativeGANModule(
        net=net,
        sample_rate=4000,
        discriminator=partial(Discriminator, depth=2, filters=(4, 4, 4), kernels=(3,), norm=norm),
        autoencoder=nn.Identity,
        generator_optimizer=adam,
        discriminator_optimizer=adam,
        autoencoder_optimizer=adam,
        **(defaults | settings),
    )


def state_of(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in module.state_dict().items()}


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())
