"""Adversarial training: who moves and who does not, when the composite losses start, and what is logged and refused."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ExponentialLR, ReduceLROnPlateau
from torch.utils.data import DataLoader

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.base import NonFiniteLossError
from lightning_modules.callbacks.best_and_last import LastEpoch
from lightning_modules.training.gan_health import gradient_shares
from lightning_modules.training.warm_up import AfterSteps, WhenBelow


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


@contextmanager
def recorded(module: AdversarialModule, method: str, network: str) -> Iterator[list[bool]]:
    """Record for every call of a method whether it left a network bit for bit as it was, buffers included."""
    original, untouched = getattr(module, method), []

    def watched(*arguments: Any, **named: Any) -> Any:
        before = state_of(getattr(module, network))
        result = original(*arguments, **named)
        untouched.append(same(before, state_of(getattr(module, network))))
        return result

    setattr(module, method, watched)
    yield untouched


def test_discriminator_step_leaves_the_generator_as_it_is_and_the_reverse() -> None:
    module = make(loss_weights={"feature_matching": 1.0})
    start = state_of(module.net), state_of(module.discriminator)
    with recorded(module, "_step_discriminator", "net") as net, recorded(module, "_step_generator", "discriminator") as judge:
        fit(module)
    assert net == [True] * 4
    assert judge == [True] * 4
    assert not same(start[0], state_of(module.net))
    assert not same(start[1], state_of(module.discriminator))


def test_no_gradient_is_left_behind() -> None:
    left: list[bool] = []  # looked for after every batch: Lightning clears gradients before a validation
    fit(make(), look=Watch(lambda module: left.extend(value.grad is not None for value in module.parameters())))
    assert len(left) > 0 and not any(left)


def test_validation_leaves_every_buffer_as_it_is() -> None:
    module = make()
    fit(module)
    before = state_of(module)
    trainer = pl.Trainer(**QUIET)
    trainer.validate(module, datamodule=Examples(), verbose=False)
    after = state_of(module)
    assert same(before, after)


def test_without_adversarial_weight_there_is_no_discriminator() -> None:
    module = make(loss_weights={"adversarial": 0.0})
    assert module.discriminator is None
    trainer = fit(module)
    assert len(trainer.optimizers) == 1
    assert not any(name.startswith("discriminator") for name in trainer.callback_metrics)


def test_generator_starts_from_the_same_weights_with_and_without_a_discriminator() -> None:
    assert same(state_of(make().net), state_of(make(loss_weights={"adversarial": 0.0}).net))


def test_composite_losses_start_right_after_the_warm_up() -> None:
    names: list[set[str]] = []
    module = make(warm_up=AfterSteps(3), loss_weights={"feature_matching": 1.0})
    terms = module.reconstruction.terms

    def watched(batch: Any, restored: Tensor) -> dict[str, Tensor]:
        names[-1] |= {"composite"}
        return AdversarialModule.composite_terms(module, batch, restored)

    def opened(*signals: Tensor) -> dict[str, Tensor]:
        names.append({"reconstruction"})
        return terms(*signals)

    module.reconstruction.terms = opened  # type: ignore[method-assign]
    module.composite_terms = watched  # type: ignore[method-assign]
    fit(module)
    assert names == [{"reconstruction"}] * 3 + [{"reconstruction", "composite"}]


def test_generator_learns_the_same_before_the_boundary_as_without_adversary() -> None:
    alone, warming = make(loss_weights={"adversarial": 0.0}), make(warm_up=AfterSteps(4))
    fit(alone)
    fit(warming)
    assert same(state_of(alone.net), state_of(warming.net))
    fit(warming, epochs=2)
    fit(alone, epochs=2)
    assert not same(state_of(alone.net), state_of(warming.net))


def test_discriminator_takes_several_steps_for_one_of_the_generator() -> None:
    module = make(discriminator_steps=2)
    with recorded(module, "_step_discriminator", "discriminator") as judge, recorded(module, "training_step", "net") as net:
        fit(module)
    assert judge == [False] * 4
    assert net == [True, False, True, False]


def test_turns_go_on_over_epochs_and_over_a_resumed_run(tmp_path: Path) -> None:
    whole, first, second = (make(discriminator_steps=3) for _ in range(3))  # of four batches an epoch
    with recorded(whole, "_step_generator", "net") as steps:
        fit(whole, epochs=3, folder=tmp_path / "whole")
    assert len(steps) == 4
    fit(first, epochs=1, folder=tmp_path / "parts")
    fit(second, epochs=3, folder=tmp_path / "parts")
    assert same(state_of(whole), state_of(second))


def test_run_without_a_step_of_the_generator_says_so(caplog: pytest.LogCaptureFixture) -> None:
    module = make(discriminator_steps=5)
    before = state_of(module.net)
    fit(module)
    assert caplog.messages[-1] == "the generator was never trained: model.discriminator_steps=5, and the run had 4 batches"
    assert same(before, state_of(module.net))


@pytest.mark.parametrize(("interval", "expected"), [(50, [0]), (2, [0, 2]), (0, [])])
def test_shares_are_computed_at_the_first_and_every_nth_step_of_the_generator(
    interval: int, expected: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, taken = make(discriminator_steps=2), []

    def watched(*arguments: Any) -> dict[str, Tensor]:
        taken.append(module.warm_up.steps_taken - 1)
        return gradient_shares(*arguments)

    monkeypatch.setattr("lightning_modules.adversarial.gradient_shares", watched)
    trainer = pl.Trainer(max_epochs=2, log_every_n_steps=interval, enable_checkpointing=False, **QUIET)
    trainer.fit(module, datamodule=Examples())
    assert taken == expected
    assert ("gradient/share_adversarial" in trainer.callback_metrics) == (interval > 0)


def test_losses_are_averaged_over_processes_only_until_they_have_decided() -> None:
    reduced: list[int] = []
    module = make(warm_up=WhenBelow("discriminator", 10.0, memory_steps=2))
    average = module._over_processes

    def watched(values: Tensor) -> Tensor:
        reduced.append(module.batches_taken)
        return average(values)

    module._over_processes = watched  # type: ignore[method-assign]
    fit(module)
    assert reduced == [1, 2]


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
        ({"loss_weights": {"adv": 1.0}}, "unknown model.loss_weights adv; known: adversarial, feature_matching, l1"),
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
