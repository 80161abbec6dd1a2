"""One network among several: only it takes gradients, and a call can move nothing."""

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.utils.data import DataLoader

from lightning_modules.training.accumulating import Accumulation
from lightning_modules.training.optimizing import Optimizing, forward_without_buffer_updates


class Judge(nn.Module):
    """A convolution whose power iteration and running statistics move with every training pass."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = spectral_norm(nn.Conv1d(1, 3, 3, padding=1))
        self.norm = nn.BatchNorm1d(3)

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        hidden = self.norm(self.conv(signal + corrupted))
        return hidden.mean(dim=1, keepdim=True), [hidden]


class Pair(pl.LightningModule):
    """Two gains, of which a step trains the one called `name`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.first, self.second = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
        self.networks = {"first": self.first, "second": self.second}
        for parameter in self.parameters():  # far from zero, where the gradient would be below the norm it is clipped to
            nn.init.ones_(parameter)
        self.gradient_clip_norms: dict[str, float | None] = {"first": None, "second": 0.5}
        self.accumulation, self.name = Accumulation(1), name

    def training_step(self, batch: Any, batch_idx: int) -> None:
        with Optimizing(self, self.name, {"index": torch.tensor([0]), "clean": batch}) as optimize:
            assert [next(net.parameters()).requires_grad for net in self.networks.values()] == [
                name == self.name for name in self.networks
            ]
            optimize(self.first(self.second(batch)).square().sum() * 100)
        assert all(parameter.requires_grad for parameter in self.parameters())

    def configure_optimizers(self) -> Any:
        return tuple({"optimizer": torch.optim.SGD(net.parameters(), lr=1.0)} for net in self.networks.values())


@pytest.mark.parametrize("name", ["first", "second"])
def test_only_the_named_network_takes_gradients_and_moves(name: str) -> None:
    module = Pair(name)
    before = {key: net.weight.clone() for key, net in module.networks.items()}
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=1, logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, DataLoader([torch.ones(1)]))  # type: ignore[arg-type]
    moved = {key: (net.weight - before[key]).abs().item() for key, net in module.networks.items()}
    assert [key for key, distance in moved.items() if distance > 0] == [name]
    if name == "second":
        assert moved["second"] == pytest.approx(0.5, rel=1e-4)


def test_call_moves_no_running_statistic_and_gives_what_a_training_pass_gives() -> None:
    torch.manual_seed(0)
    judge, signal = Judge().train(), torch.randn(2, 1, 16)
    before = {name: value.clone() for name, value in judge.state_dict().items()}
    logits, activations = forward_without_buffer_updates(judge, signal, signal)
    assert all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())
    again, hidden = judge(signal, signal)
    assert torch.equal(logits, again)
    assert torch.equal(activations[0], hidden[0])
    assert not all(torch.equal(value, before[name]) for name, value in judge.state_dict().items())
