"""Clipping, schedules, logs, precision and resuming of adversarial training, and its mistakes by name."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.base import NonFiniteLossError
from lightning_modules.training.warm_up import WhenBelow
from tests.lightning_modules.adversarial.conftest import Examples, Filter, Judge, Watch, fit, make, same, state_of


def test_every_network_has_its_own_clipping() -> None:
    sgd = partial(torch.optim.SGD, lr=1.0)
    torch.manual_seed(0)
    module = AdversarialModule(
        Filter(),
        4000,
        {"l2": 1.0, "adversarial": 1.0},
        discriminator=Judge,
        generator_optimizer=sgd,
        discriminator_optimizer=sgd,
        gradient_clip_norms={"generator": 1e-3, "discriminator": 1e-4},
    )
    start = {name: [value.clone() for value in network.parameters()] for name, network in module.networks.items()}
    fit(module, limit_train_batches=1)
    for name, length in (("generator", 1e-3), ("discriminator", 1e-4)):
        moved = [after - before for after, before in zip(module.networks[name].parameters(), start[name], strict=True)]
        assert torch.cat([step.flatten() for step in moved]).norm().item() == pytest.approx(length, rel=1e-2)


def test_schedules_of_the_networks_are_stepped_once_an_epoch() -> None:
    plateau = partial(ReduceLROnPlateau, mode="max", patience=0, factor=0.1, threshold=1e3)
    module = make(schedulers={"generator": plateau, "discriminator": partial(ExponentialLR, gamma=0.5)}, monitor="val/snr_db")
    trainer = fit(module, epochs=3)
    rates = [optimizer.param_groups[0]["lr"] for optimizer in trainer.optimizers]
    assert rates == pytest.approx([0.01 * 0.1**2, 0.01 * 0.5**3])
    logged = [float(trainer.callback_metrics[f"lr/{name}"]) for name in ("generator", "discriminator")]
    assert logged == pytest.approx([0.01 * 0.1, 0.01 * 0.5**2])  # of the last epoch


def test_plateau_schedules_watch_the_metric_asked_for() -> None:
    plateau = partial(ReduceLROnPlateau, mode="max", patience=9)
    module = make(schedulers={"generator": plateau}, monitor="val/snr_db")
    trainer = fit(module)
    schedule = next(config.scheduler for config in trainer.lr_scheduler_configs)
    assert schedule.best == pytest.approx(float(trainer.callback_metrics["val/snr_db"]))


def test_terms_shares_and_accuracies_are_logged() -> None:
    seen: list[dict[str, float]] = []
    look = Watch(lambda module: seen.append({name: float(value) for name, value in module.trainer.callback_metrics.items()}))
    fit(make(loss_weights={"feature_matching": 2.0}, penalty_weights={"r1": 0.1}, norm=False), look=look)
    logged = seen[0]
    for name, weight in (("l2", 1.0), ("adversarial", 0.1), ("feature_matching", 2.0)):
        assert logged[f"train/weighted_{name}"] == pytest.approx(weight * logged[f"train/{name}"])
    assert sum(value for name, value in logged.items() if name.startswith("gradient/share_")) == pytest.approx(1.0)
    assert logged["train/loss"] == pytest.approx(sum(value for name, value in logged.items() if "weighted_" in name))
    assert 0 <= logged["discriminator/accuracy_clean"] <= 1
    assert {"discriminator/r1", "discriminator/accuracy_restored", "gradient/norm_discriminator", "train/warm_up"} <= set(logged)


def test_share_is_the_norm_of_a_terms_gradient_over_the_sum_of_the_norms() -> None:
    module = make(loss_weights={"l1": 3.0, "adversarial": 0.0}, rate=0.0)
    seen: list[float] = []
    fit(module, look=Watch(lambda module: seen.append(float(module.trainer.callback_metrics["gradient/share_l1"]))))
    batch = next(iter(Examples().train_dataloader()))
    norms = []
    for weight, loss in ((1.0, nn.functional.mse_loss), (3.0, nn.functional.l1_loss)):
        net = make().net.train()
        (weight * loss(net(batch["corrupted"]), batch["clean"])).backward()
        norms.append(nn.utils.get_total_norm([value.grad for value in net.parameters() if value.grad is not None]))
    assert seen[0] == pytest.approx((norms[1] / (norms[0] + norms[1])).item(), rel=1e-4)


def test_resumed_training_equals_the_uninterrupted_one_in_every_network_and_optimizer(tmp_path: Path) -> None:
    whole, first, second = (make(warm_up=WhenBelow("discriminator", 10.0, memory_steps=6, ramp_steps=3)) for _ in range(3))
    whole_trainer = fit(whole, epochs=3, folder=tmp_path / "whole")
    fit(first, epochs=1, folder=tmp_path / "parts")
    resumed = fit(second, epochs=3, folder=tmp_path / "parts")
    assert same(state_of(whole), state_of(second))
    for one, other in zip(whole_trainer.optimizers, resumed.optimizers, strict=True):
        moments = [[state["exp_avg_sq"] for state in optimizer.state.values()] for optimizer in (one, other)]
        assert all(torch.equal(left, right) for left, right in zip(*moments, strict=True))


def test_bf16_trains_with_float32_losses() -> None:
    module = make(penalty_weights={"gradient_penalty": 1.0}, norm=False)
    before = state_of(module.net)
    fit(module, precision="bf16-mixed")
    assert not same(before, state_of(module.net))
    assert all(value.isfinite().all() for value in state_of(module).values())


@pytest.mark.parametrize("precision", ["16-mixed", "bf16-true"])
def test_other_precision_is_refused_with_what_to_use(precision: str) -> None:
    module = make()
    module._trainer = type("Trainer", (), {"precision": precision})()  # type: ignore[assignment]
    with pytest.raises(ValueError, match=f"bf16-mixed or 32-true, not trainer.precision={precision}"):
        module.on_fit_start()


def test_loss_that_is_not_finite_stops_before_the_step() -> None:
    module = make()
    assert module.discriminator is not None
    nn.init.constant_(module.discriminator.last.bias, float("nan"))
    before = state_of(module.net)
    with pytest.raises(NonFiniteLossError, match=r"indices \[0, 1\]"):
        fit(module)
    assert all(torch.equal(before[name], value) for name, value in module.net.named_parameters())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"loss_weights": {"adv": 1.0}},
            "unknown model.loss_weights adv; known: adversarial, deep_feature, feature",
        ),
        ({"adversary": "wgan"}, "model.adversary=wgan"),
        ({"penalty_weights": {"r2": 1.0}}, "unknown model.penalty_weights r2; known: r1, gradient_penalty"),
        ({"penalty_weights": {"r1": 1.0}}, "model.discriminator.norm=layer, group, spectral or none"),
        ({"discriminator_steps": 0}, "model.discriminator_steps=0"),
        ({"discriminator_steps": 1.5}, "model.discriminator_steps=1.5 must be a whole number"),
        ({"loss_weights": {"adversarial": -0.1}}, "model.loss_weights.adversarial=-0.1 must be a number, at least 0"),
        ({"penalty_weights": {"r1": -1.0}}, "model.penalty_weights.r1=-1.0 must be a number, at least 0"),
        ({"gradient_clip_norms": {"generator": float("nan")}}, "model.gradient_clip_norms.generator=nan must be positive"),
        ({"schedulers": {"critic": None}}, "unknown networks critic in model.schedulers; known: generator"),
        ({"gradient_clip_norms": {"g": 1.0}}, "unknown networks g in model.gradient_clip_norms"),
        ({"gradient_clip_norms": {"generator": 0.0}}, "model.gradient_clip_norms.generator=0.0 must be positive"),
    ],
)
def test_mistake_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)
