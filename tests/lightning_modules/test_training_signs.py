"""Steps whose outcome is known beforehand: what one step of each network raises and lowers, by how much, and what it is shown."""

import math
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.autoencoding import AutoencoderModule
from lightning_modules.losses.adversarial import ADVERSARIES, gradient_penalty
from lightning_modules.mugan import MUGANModule
from lightning_modules.training.warm_up import AfterSteps
from tests.lightning_modules import tiny

RATE = 0.1
CLEAN, RESTORED = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
"""Two orthogonal signals of two samples: a linear discriminator's logits of them are its two weights."""


class Gain(nn.Module):
    """Multiply by a trained gain, 1 at first."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.0))

    def forward(self, signal: Tensor) -> Tensor:
        return self.gain * signal


class Linear(nn.Module):
    """Judge a signal of two samples by a weight for each."""

    def __init__(self, *weights: float) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor(weights))

    def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
        return (self.weights * signal).sum(dim=2, keepdim=True), [signal]


class Orthogonal(pl.LightningDataModule):
    """Batches of two pairs whose clean and corrupted signals are orthogonal, at the given levels."""

    sample_rate, cutoff_hz, seed = 4000, None, 0

    def __init__(
        self, clean: tuple[float, ...] = (1.0, 1.0), corrupted: tuple[float, ...] = (1.0, 1.0), batches: int = 1
    ) -> None:
        super().__init__()
        levels = list(zip(clean, corrupted, strict=True)) * batches
        self.size = len(clean)
        self.pairs = [
            {"clean": (first * CLEAN)[None], "corrupted": (second * RESTORED)[None], "index": number}
            for number, (first, second) in enumerate(levels)
        ]

    def train_dataloader(self) -> DataLoader[Any]:
        return DataLoader(self.pairs, batch_size=self.size)  # type: ignore[arg-type]

    def val_dataloader(self) -> DataLoader[Any]:
        return DataLoader([], batch_size=1)  # type: ignore[arg-type]


def make(judge: Callable[[], nn.Module], rates: tuple[float, float] = (RATE, RATE), **settings: Any) -> AdversarialModule:
    weights = {"l2": 1e-9, "adversarial": 1.0} | settings.pop("loss_weights", {})
    generator, discriminator = (partial(torch.optim.SGD, lr=rate) for rate in rates)
    return AdversarialModule(
        Gain(), 4000, weights, judge, generator_optimizer=generator, discriminator_optimizer=discriminator, **settings
    )


def fit(module: pl.LightningModule, data: pl.LightningDataModule) -> list[dict[str, float]]:
    """Train for an epoch and return what was logged at every step."""
    seen: list[dict[str, float]] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, *step: Any) -> None:
            seen.append({name: float(value) for name, value in trainer.callback_metrics.items()})

    settings = {**tiny.QUIET, "enable_checkpointing": False, "limit_val_batches": 0, "log_every_n_steps": 1}
    pl.Trainer(max_epochs=1, callbacks=[Watch()], **settings).fit(module, datamodule=data)
    return seen


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


@pytest.mark.parametrize(
    ("adversary", "rise", "fall"),
    [("bce", sigmoid(-0.25), sigmoid(0.25)), ("lsgan", 2 * 0.75, 2 * 0.25), ("hinge", 1.0, 1.0)],
)
def test_discriminator_step_raises_the_logit_of_clean_and_lowers_that_of_restored(
    adversary: str, rise: float, fall: float
) -> None:
    module = make(partial(Linear, 0.25, 0.25), adversary=adversary)
    fit(module, Orthogonal())
    assert module.discriminator is not None
    after = module.discriminator.get_parameter("weights").tolist()
    assert after == pytest.approx([0.25 + RATE * rise, 0.25 - RATE * fall])


def test_discriminator_judges_clean_and_restored_beside_the_corrupted_signal() -> None:
    shown: list[list[float]] = []

    class Witness(Linear):
        def forward(self, signal: Tensor, corrupted: Tensor) -> tuple[Tensor, list[Tensor]]:
            shown.append([float(pair[0, 0].detach().abs().max()) for pair in (signal, corrupted)])
            return super().forward(signal, corrupted)

    module = make(partial(Witness, 0.0, 0.0))
    nn.init.constant_(module.net.get_parameter("gain"), 0.5)
    fit(module, Orthogonal(clean=(7.0, 7.0), corrupted=(2.0, 2.0)))
    assert shown == [[7.0, 2.0], [1.0, 2.0], [1.0, 2.0]]  # clean and restored in D's step, restored in G's


def test_every_step_of_the_discriminator_is_by_its_own_gradient_alone() -> None:
    module = make(partial(Linear, 0.0, 0.0), adversary="hinge", rates=(0.0, RATE))
    fit(module, Orthogonal(batches=3))
    assert module.discriminator is not None
    assert module.discriminator.get_parameter("weights").tolist() == pytest.approx([3 * RATE, -3 * RATE])


@pytest.mark.parametrize("adversary", list(ADVERSARIES))
def test_generator_step_lowers_its_loss_against_a_fixed_discriminator_and_raises_the_logit(adversary: str) -> None:
    module = make(partial(Linear, 0.0, 0.25), rates=(RATE, 0.0), adversary=adversary)
    first, second = fit(module, Orthogonal(batches=2))
    assert second["train/adversarial"] < first["train/adversarial"]
    assert module.net.get_parameter("gain").item() > 1


@pytest.mark.parametrize(
    ("adversary", "of_clean", "of_restored"), [("bce", 1.0, 0.25), ("lsgan", 0.75, 0.5), ("hinge", 1.0, 0.25)]
)
def test_accuracies_are_the_shares_of_clean_called_clean_and_of_restored_called_restored(
    adversary: str, of_clean: float, of_restored: float
) -> None:
    levels: Any = (0.4, 0.6, 0.6, 0.6), (-0.4, 0.4, 0.6, 0.6)
    (logged,) = fit(make(partial(Linear, 1.0, 1.0), rates=(0.0, 0.0), adversary=adversary), Orthogonal(*levels))
    assert (logged["discriminator/accuracy_clean"], logged["discriminator/accuracy_restored"]) == (of_clean, of_restored)


def test_adversarial_loss_counts_by_its_weight_and_the_ramp_of_the_warm_up() -> None:
    module = make(partial(Linear, 0.0, 1.0), rates=(RATE, 0.0), adversary="hinge", warm_up=AfterSteps(2, ramp_steps=3))
    module.loss_weights["adversarial"] = 0.5
    gains: list[float] = []
    module.net.register_forward_hook(lambda net, given, result: gains.append(net.gain.item()))
    logged = fit(module, Orthogonal(batches=7))
    moved = [after - before for before, after in pairwise([*gains, module.net.get_parameter("gain").item()])]
    ramp = [0.0, 0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    assert moved == pytest.approx([RATE * 0.5 * weight for weight in ramp], abs=1e-6)
    assert [step["train/warm_up"] for step in logged] == pytest.approx(ramp)
    weighted = [step.get("train/weighted_adversarial", 0.0) / step.get("train/adversarial", 1.0) for step in logged]
    assert weighted == pytest.approx([0.5 * weight for weight in ramp])


@pytest.mark.parametrize("penalty", ["r1", "gradient_penalty"])
def test_step_by_a_penalty_grows_with_its_weight(penalty: str) -> None:
    def after(weight: float) -> Tensor:
        module = tiny.fit(tiny.make("adversarial", penalty_weights={penalty: weight}), batches=1)
        return torch.cat([value.detach().flatten() for value in module.discriminator.parameters()])

    once, thrice = after(1.0) - after(0.0), after(3.0) - after(0.0)
    assert once.abs().max() > 1e-4
    torch.testing.assert_close(thrice, 3 * once, rtol=1e-2, atol=1e-6)


def test_penalty_of_a_linear_discriminator_shrinks_its_slope_by_twice_its_weight() -> None:
    module = make(partial(Linear, 0.5, 0.5), adversary="hinge", penalty_weights={"r1": 2.0})
    fit(module, Orthogonal())
    assert module.discriminator is not None
    expected = [0.5 + RATE * (1 - 2 * 2.0 * 0.5), 0.5 + RATE * (-1 - 2 * 2.0 * 0.5)]
    assert module.discriminator.get_parameter("weights").tolist() == pytest.approx(expected)


def test_gradient_penalty_looks_at_a_point_of_its_own_in_every_example() -> None:
    points: list[Tensor] = []

    def judge(signals: Tensor) -> Tensor:
        points.append(signals.detach().flatten())
        return signals

    share = torch.rand(16, 1, 1, generator=torch.Generator().manual_seed(0))
    gradient_penalty(judge, torch.zeros(16, 1, 1), torch.ones(16, 1, 1), share)
    assert len(points[0].unique()) == 16
    assert 0 < points[0].min() < 0.25 and 0.75 < points[0].max() < 1


class Watched(Gain):
    """An autoencoder that keeps what it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Tensor] = []

    def encode(self, signal: Tensor) -> Tensor:
        return self.gain * signal

    def forward(self, signal: Tensor) -> Tensor:
        self.shown.append(signal)
        return self.gain * signal


def test_autoencoder_trained_beside_is_shown_clean_signals_and_asked_for_them() -> None:
    sgd = partial(torch.optim.SGD, lr=RATE)
    optimizers = dict.fromkeys(("generator_optimizer", "discriminator_optimizer", "autoencoder_optimizer"), sgd)
    module = MUGANModule(
        net=Gain(), sample_rate=4000, loss_weights={"l2": 1.0, "feature": 1.0}, discriminator=nn.Identity,
        autoencoder=Watched, **optimizers,
    )  # fmt: skip
    (logged,) = fit(module, Orthogonal(clean=(2.0, 2.0)))
    assert isinstance(module.autoencoder, Watched)
    assert torch.equal(module.autoencoder.shown[0], torch.stack([2 * CLEAN, 2 * CLEAN])[:, None])
    assert logged["autoencoder/loss"] == 0.0


def test_autoencoder_of_the_first_stage_learns_from_clean_to_clean() -> None:
    module = AutoencoderModule(Watched(), 4000, {"l2": 1.0}, optimizer=partial(torch.optim.SGD, lr=RATE))
    nn.init.constant_(module.net.get_parameter("gain"), 3.0)
    fit(module, Orthogonal())
    assert isinstance(module.net, Watched)
    assert torch.equal(module.net.shown[0], torch.stack([CLEAN, CLEAN])[:, None])
    assert module.net.gain.item() == pytest.approx(3.0 - RATE * 2.0)  # of (g - 1)^2 / 2 the slope is g - 1
