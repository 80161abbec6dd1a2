"""Who moves in which step, and what is computed for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
from torch import Tensor

from lightning_modules.adversarial import AdversarialModule
from lightning_modules.training.gan_health import gradient_shares
from lightning_modules.training.warm_up import AfterSteps, WhenBelow
from tests.lightning_modules.adversarial.conftest import QUIET, Examples, Watch, fit, make, same, state_of


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
