"""When the composite losses start: the boundary step, the ramp, and what a resumed run remembers."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from lightning_modules.training.warm_up import AfterSteps, WarmUp, WhenBelow


def weights(rule: WarmUp, count: int, losses: dict[str, Tensor] | None = None) -> list[float]:
    return [rule(losses or {}) for _ in range(count)]


def test_losses_start_at_the_step_after_the_last_one_without() -> None:
    assert weights(AfterSteps(3), 5) == [0, 0, 0, 1, 1]
    assert weights(AfterSteps(0), 2) == [1, 1]


def test_ramp_rises_in_equal_steps_and_stays() -> None:
    assert weights(AfterSteps(1, ramp_steps=3), 6) == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1])


def test_loss_below_the_value_starts_it_and_a_rise_does_not_stop_it() -> None:
    rule = WhenBelow("discriminator", 1.0, memory_steps=1)
    losses = [1.2, 1.0, 0.9, 5.0]
    assert [rule({"discriminator": torch.tensor(loss)}) for loss in losses] == [0, 0, 1, 1]


def test_one_lucky_step_starts_nothing() -> None:
    rule = WhenBelow("autoencoder", 1.0, memory_steps=4)
    losses = [0.1, 2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5]  # averages: 0.1, 1.05, 1.37, 1.53, 1.27, 1.08, 0.93
    assert [rule({"autoencoder": torch.tensor(loss)}) for loss in losses] == [0, 0, 0, 0, 0, 0, 1, 1]


def test_resumed_rule_goes_on_where_it_stopped() -> None:
    whole, first, second = (AfterSteps(2, ramp_steps=2) for _ in range(3))
    expected = weights(whole, 6)
    begun = weights(first, 3)
    second.load_state_dict(first.state_dict())
    assert begun + weights(second, 3) == expected


def test_resumed_average_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, first, second = (WhenBelow("autoencoder", 1.0, memory_steps=4) for _ in range(3))
    losses = [{"autoencoder": torch.tensor(loss)} for loss in (0.1, 2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5)]
    expected = [whole(loss) for loss in losses]
    begun = [first(loss) for loss in losses[:5]]
    torch.save(first.state_dict(), tmp_path / "state.pt")
    second.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert begun + [second(loss) for loss in losses[5:]] == expected
    assert second.average == whole.average


def test_state_is_no_buffer_that_an_average_of_the_weights_could_change() -> None:
    rule = WhenBelow("autoencoder", 1.0)
    assert list(rule.buffers()) == []
    assert all(isinstance(value, Tensor) for value in rule.state_dict().values())


def test_rule_awaits_a_loss_until_it_has_begun_and_needs_none_after() -> None:
    assert AfterSteps(3).depends_on() == ()
    rule = WhenBelow("autoencoder", 1.0, memory_steps=1)
    assert rule.depends_on() == ("autoencoder",)
    assert [rule({"autoencoder": torch.tensor(0.5)}), rule({})] == [1, 1]
    assert rule.depends_on() == ()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AfterSteps(-1), "model.warm_up.steps=-1"),
        (lambda: AfterSteps(0, ramp_steps=-2), "model.warm_up.ramp_steps=-2"),
        (lambda: WhenBelow("discriminator", 1.0, memory_steps=0), "model.warm_up.memory_steps=0"),
        (lambda: WhenBelow("discriminator", float("nan")), "model.warm_up.value=nan"),
        (lambda: WhenBelow("autoencoder", 1.0).check(["generator", "discriminator"]), "not trained in this run.*: discriminator"),
        (lambda: WhenBelow("autoencoder", 1.0).check(["generator"]), "beside the generator: none"),
    ],
)
def test_mistake_is_named(make: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()  # type: ignore[operator]
