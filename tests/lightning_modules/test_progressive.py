"""Training of every step: which are compared, what the loss is, and that saving memory changes nothing."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from lightning_modules.losses.reconstruction import l2
from lightning_modules.metrics.snr import snr_db
from lightning_modules.progressive import Plan, ProgressiveModule, SummedModule
from models.conv_rnn import ConvRNN
from models.layers.spectrogram_patches import cut

INDEX = torch.arange(4)


def net(**changes: Any) -> ConvRNN:
    torch.manual_seed(0)
    settings: dict[str, Any] = {"steps": 5, "state_channels": 6, "hidden_channels": 8, "fft_samples": 64, "hop_samples": 16}
    return ConvRNN(**{**settings, **changes})


def make(network: ConvRNN | None = None, kind: type[ProgressiveModule] = ProgressiveModule, **settings: Any) -> ProgressiveModule:
    module = kind(network or net(), 4000, loss_weights={"l2": 1.0}, optimizer=partial(torch.optim.SGD, lr=0.1), **settings)
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))
    return module


def pair() -> tuple[Tensor, Tensor]:
    clean, disturbance = torch.randn(2, 2, 1, 300, generator=torch.Generator().manual_seed(0))
    return clean, clean + disturbance


def gradient(module: ProgressiveModule, plan: Plan) -> tuple[Tensor, Tensor]:
    module.zero_grad()
    loss = module.terms(*pair(), plan)["l2"]
    loss.backward()
    return loss.detach(), torch.cat([parameter.grad.flatten() for parameter in module.parameters() if parameter.grad is not None])


def test_loss_is_the_weighted_mean_over_the_steps() -> None:
    module, (clean, corrupted) = make(step_weights="late"), pair()
    plan = module.plan(INDEX)
    assert plan == Plan(5, {step: (step / 5) ** 4 for step in range(1, 6)})
    expected = sum(
        plan.weights[step] * l2(estimate, corrupted - (step / 5) ** 2 * (corrupted - clean))
        for step, estimate in enumerate(module.net.estimates(corrupted), start=1)
    )
    torch.testing.assert_close(module.terms(clean, corrupted, plan)["l2"], expected / sum(plan.weights.values()))


def test_published_loss_is_the_plain_sum_over_the_steps() -> None:
    module, (clean, corrupted) = make(kind=SummedModule, step_weights="equal"), pair()
    expected = sum(
        l2(estimate, corrupted - (step / 5) ** 2 * (corrupted - clean))
        for step, estimate in enumerate(module.net.estimates(corrupted), start=1)
    )
    torch.testing.assert_close(module.terms(clean, corrupted, module.plan(INDEX))["l2"], expected)


@pytest.mark.parametrize("step", range(1, 9))
def test_states_of_the_scheduled_noise_hit_every_target(step: int) -> None:
    network, (clean, corrupted) = net(state_channels=None, steps=8), pair()
    context = network.prepare(corrupted)
    noise = (corrupted - clean).flatten(0, 1) / context.level
    state = (step / 8) ** 2 * cut(network.spectrum.analyze(noise))
    target = make().targets(clean, corrupted, step / 8)
    torch.testing.assert_close(network.estimate(context, state), target, rtol=0, atol=1e-5)


@pytest.mark.parametrize("gradient_steps", [None, 2])
def test_recomputing_states_changes_neither_loss_nor_gradient(gradient_steps: int | None) -> None:
    plan = Plan(5, {2: 1.0, 5: 2.0})
    kept, found = gradient(make(gradient_steps=gradient_steps), plan)
    again, recomputed = gradient(make(gradient_steps=gradient_steps, recompute=True), plan)
    torch.testing.assert_close(kept, again)
    torch.testing.assert_close(found, recomputed)


def test_truncated_gradient_is_that_of_the_last_stretch_alone() -> None:
    module, (clean, corrupted) = make(gradient_steps=4), pair()
    loss, found = gradient(module, Plan(5, {5: 1.0}))
    module.zero_grad()
    context = module.net.prepare(corrupted)
    *_, before, _ = module.net.states(context, 5)
    estimate = module.net.estimate(context, module.net.advance(context.input_projection, before.detach(), 5, 5))
    by_hand = l2(estimate, clean)
    by_hand.backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in module.parameters() if parameter.grad is not None])
    torch.testing.assert_close(loss, by_hand.detach())
    torch.testing.assert_close(found, expected)
    assert not torch.allclose(found, gradient(make(), Plan(5, {5: 1.0}))[1])


@pytest.mark.parametrize("step_weights", ["equal", "late"])
def test_drawn_steps_are_the_last_and_others_and_stand_for_all(step_weights: str) -> None:
    module = make(compared_steps=3, step_weights=step_weights)
    plans = [module.plan(torch.tensor([number, number + 1])) for number in range(400)]
    assert all(len(plan.weights) <= 3 and plan.weights[5] == 1.0 for plan in plans)
    wanted = {step: module.step_weight(step / 5) for step in range(1, 6)}
    assert all(sum(plan.weights.values()) == pytest.approx(sum(wanted.values())) for plan in plans)
    for step in range(1, 5):
        mean = sum(plan.weights.get(step, 0.0) for plan in plans) / len(plans)
        assert mean == pytest.approx(wanted[step], abs=0.15)


def test_draws_follow_from_the_indices_of_the_batch() -> None:
    first, second = make(compared_steps=2, training_steps=[3, 9]), make(compared_steps=2, training_steps=[3, 9])
    plans = [first.plan(torch.tensor([number])) for number in range(30)]
    assert plans == [second.plan(torch.tensor([number])) for number in range(30)]
    assert {plan.steps for plan in plans} == set(range(3, 10))
    assert all(plan.steps in plan.weights for plan in plans)


def test_only_the_last_step_counts_with_last() -> None:
    assert {step for step, weight in make(step_weights="last").plan(INDEX).weights.items() if weight} == {5}
    assert make(step_weights="last", compared_steps=3).plan(INDEX).weights == {5: 1.0}


def test_training_lowers_the_loss() -> None:
    module = make(targets="clean", network=net(steps=3))
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-2)
    plan, losses = Plan(3, {1: 1.0, 2: 1.0, 3: 1.0}), []
    for _ in range(30):
        optimizer.zero_grad()
        loss = module.terms(*pair(), plan)["l2"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"targets": "magic"}, "model.targets=magic"),
        ({"step_weights": "heavy"}, "model.step_weights=heavy"),
        ({"compared_steps": 0}, "model.compared_steps=0 must be a whole number, at least 1"),
        ({"gradient_steps": -1}, "model.gradient_steps=-1"),
        ({"gradient_steps": 2.5}, "model.gradient_steps=2.5"),
        ({"training_steps": [9, 3]}, r"model.training_steps=\[9, 3\] must be a rising range, or null"),
        ({"training_steps": [0, 3]}, "model.training_steps=0 must be a whole number, at least 1"),
        ({"training_steps": [4.5, 8]}, "model.training_steps=4.5"),
        ({"training_steps": 8}, r"model.training_steps=8 must be a range \[low, high\], or null"),
        ({"training_steps": [8]}, r"model.training_steps=\[8\] must be a range"),
        ({"training_steps": "8"}, "model.training_steps=8 must be a range"),
        ({"band_start_hz": 2000, "targets": "band"}, "model.band_start_hz=2000"),
    ],
)
def test_wrong_setting_is_refused_by_its_key(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)


@pytest.mark.slow
def test_trained_estimates_improve_with_every_step_and_stay_good_with_twice_as_many() -> None:
    time = torch.arange(2000) / 8000
    clean = torch.stack([torch.sin(2 * torch.pi * hz * time) for hz in (220, 440, 880, 1760)])[:, None]
    noise = torch.randn(200, *clean.shape, generator=torch.Generator().manual_seed(0))
    module = make(step_weights="late", training_steps=[4, 4])
    module.net = net(steps=4, state_channels=32, hidden_channels=32, bias=False, step_features=4, fft_samples=256, hop_samples=64)
    optimizer = torch.optim.Adam(module.parameters(), lr=3e-3)
    for disturbance in noise[1:]:
        optimizer.zero_grad()
        module.terms(clean, clean + 0.5 * disturbance, module.plan(INDEX))["l2"].backward()
        optimizer.step()
    corrupted = clean + 0.5 * noise[0]
    with torch.no_grad():
        way = [snr_db(estimate, clean).mean().item() for estimate in (corrupted, *module.net.estimates(corrupted))]
        doubled = snr_db(module.net.estimates(corrupted, 8)[-1], clean).mean().item()
    assert way == sorted(way)
    assert way[-1] > way[0] + 4
    assert doubled > way[-1] - 1
