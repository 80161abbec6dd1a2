"""What the tests of restore.py share: a small checkpoint, methods of a line, and files to restore."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import restore
from datamodules.audio.io import write
from lightning_modules.base import RestorationModule
from models.restorer import Restorer
from models.unet import UNet

NET = {"_target_": "models.unet.UNet", "depth": 2, "channels": [4, 4], "kernels": [9, 9], "dropout": 0.0}


MODEL = {"_target_": "lightning_modules.base.RestorationModule", "sample_rate": 16000, "net": NET}


class Custom(Restorer):
    """A network made of any function of single samples."""

    reach_samples = 0

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, corrupted: Tensor) -> Tensor:
        return self.function(corrupted)


@pytest.fixture
def checkpoint(tmp_path: Path) -> str:
    """Return an untrained network's checkpoint: the identity at 16 kHz."""
    module = RestorationModule(UNet(depth=2, channels=[4, 4], kernels=[9, 9], dropout=0.0), 16000)
    path = tmp_path / "runs" / "r" / "checkpoints" / "best.ckpt"
    path.parent.mkdir(parents=True)
    torch.save({"model_config": MODEL, "state_dict": module.state_dict()}, path)
    return str(path)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Tensor], Tensor]], None]:
    """Return a function that puts another one in place of the method, at the file's own sample rate."""

    def put(function: Callable[[Tensor], Tensor]) -> None:
        method = lambda sample_rate_hz: RestorationModule(Custom(function), sample_rate_hz)  # noqa: E731
        monkeypatch.setattr("lightning_modules.commands.restore.open_method", lambda name, device, trusted: method)

    return put


def make(path: Path, rate_hz: int = 44100, channels: int = 2, subtype: str = "PCM_16", samples: int = 30011) -> Path:
    write(path, np.random.default_rng(0).uniform(-0.5, 0.5, (channels, samples)), rate_hz, subtype=subtype)
    return path


def call(*arguments: object) -> int:
    return restore.main([str(argument) for argument in arguments])
