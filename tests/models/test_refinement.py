"""Refinement: where one step leads, that every example walks alone, what is kept, and what it leaves untouched."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from models.refinement import Refinement, Visit, at_steps, best_of, best_so_far, low_band_proximity, proximity, walk


def double(hidden: Tensor) -> Tensor:
    return 2 * hidden


def mean_logit(signal: Tensor) -> Tensor:
    return signal.mean(dim=(1, 2))


def slope(logit: float) -> float:
    """Return the derivative of softplus(-logit)."""
    return -1 / (1 + math.exp(logit))


H = torch.tensor([[[1.0, 3.0]]])  # decoded to 2, 6, judged 4


def test_gradient_step_is_the_one_by_hand() -> None:
    visits = list(walk(H, double, mean_logit, Refinement(steps=1, step_size=0.5, rule="sgd")))
    assert visits[0].logits.tolist() == [4.0]
    moved = H - 0.5 * slope(4.0) * torch.tensor([1.0, 1.0])  # d(mean of 2h)/dh = 1 for each of the two samples
    assert torch.allclose(visits[1].signal, 2 * moved)


def test_momentum_carries_the_steps_before() -> None:
    settings = Refinement(steps=2, step_size=0.5, rule="momentum", momentum=0.9)
    visits = list(walk(H, double, mean_logit, settings))
    first = 0.5 * slope(4.0)
    second = 0.9 * first + 0.5 * slope(visits[1].logits.item())
    assert torch.allclose(visits[2].signal, 2 * (H - first - second))


def test_normalized_step_has_the_asked_share_of_the_activations_size() -> None:
    torch.manual_seed(0)
    hidden = torch.randn(3, 4, 5) * torch.tensor([1.0, 100.0, 0.01])[:, None, None]
    weights = torch.randn(4, 5)
    positions = list(walk(hidden, lambda h: h, lambda s: (s * weights).mean(dim=(1, 2)), Refinement(steps=2, step_size=0.1)))
    for before, after in pairwise(positions):
        length = (after.signal - before.signal).square().mean(dim=(1, 2)).sqrt()
        assert torch.allclose(length, 0.1 * hidden.square().mean(dim=(1, 2)).sqrt(), rtol=1e-4)


@pytest.mark.parametrize(("rule", "step_size"), [("normalized", 0.2), ("sgd", 5.0), ("momentum", 2.0)])
def test_examples_walk_alone_whatever_the_batch(rule: str, step_size: float) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(2, 4, 3, padding=1), nn.Tanh(), nn.Conv1d(4, 1, 3, padding=1))
    hidden, settings = torch.randn(4, 2, 16), Refinement(steps=3, step_size=step_size, rule=rule)
    together = best_of(walk(hidden, net, mean_logit, settings))
    assert together.steps.any()
    for number in range(4):
        alone = best_of(walk(hidden[number : number + 1], net, mean_logit, settings))
        assert torch.allclose(together.signal[number], alone.signal[0], atol=1e-5)
        assert together.steps[number] == alone.steps[0]
        assert torch.allclose(together.logits[number], alone.logits[0], atol=1e-5)


def bumpy(signal: Tensor) -> Tensor:
    """Judge highest at 1, so that long steps overshoot."""
    return -(signal.mean(dim=(1, 2)) - 1).square()


def test_best_point_is_kept_per_example_and_its_logit_never_falls() -> None:
    hidden = torch.tensor([[[0.9]], [[0.0]]])
    visits = list(walk(hidden, lambda h: h, bumpy, Refinement(steps=8, step_size=0.6, rule="normalized")))
    logits = torch.stack([visit.logits for visit in visits])  # (K + 1, N)
    assert (logits[1:] < logits[:-1]).any()
    bests = list(best_so_far(iter(visits)))
    assert torch.equal(torch.stack([best.logits for best in bests]), torch.cummax(logits, dim=0).values)
    last = bests[-1]
    assert torch.equal(bumpy(last.signal), last.logits)
    for row in range(2):
        assert torch.equal(last.signal[row], visits[int(last.steps[row])].signal[row])


def test_step_zero_is_kept_where_every_step_is_worse() -> None:
    hidden = torch.tensor([[[1.0]]])  # the best point already
    best = best_of(walk(hidden, lambda h: h, bumpy, Refinement(steps=3, step_size=0.5)))
    assert best.steps.tolist() == [0]
    assert torch.equal(best.signal, hidden)


def test_step_beyond_all_bounds_is_not_kept() -> None:
    hidden = torch.tensor([[[1.0]]])
    visits = list(walk(hidden, lambda h: h.exp(), mean_logit, Refinement(steps=2, step_size=50.0)))
    assert not visits[2].logits.isfinite().any()
    best = best_of(iter(visits))
    assert best.steps.tolist() == [1]
    assert best.signal.isfinite().all()


def test_logit_that_is_no_number_or_of_an_unbounded_signal_neither_counts_nor_hides_a_better_one() -> None:
    seen = [(0.0, 1.0), (1.0, math.nan), (math.inf, 5.0), (3.0, 2.0)]
    bests = list(best_so_far(Visit(torch.full((1, 1, 2), value), torch.tensor([logit])) for value, logit in seen))
    assert [best.logits.item() for best in bests] == [1.0, 1.0, 1.0, 2.0]
    assert [best.steps.item() for best in bests] == [0, 0, 0, 3]
    assert bests[-1].signal.tolist() == [[[3.0, 3.0]]]


@pytest.mark.parametrize("certainty", [0.0, 60.0, 80.0])
def test_normalized_step_is_as_long_where_the_discriminator_is_certain(certainty: float) -> None:
    """The gradient of softplus(-60) is 1e-26, whose square is 0 in float32."""
    hidden = torch.randn(1, 1, 1000, generator=torch.Generator().manual_seed(0))
    visits = list(walk(hidden, lambda h: h, lambda s: mean_logit(s) + certainty, Refinement(steps=1, step_size=0.01)))
    length, size = ((values).square().mean().sqrt() for values in (visits[1].signal - hidden, hidden))
    assert (length / size).item() == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("rule", ["sgd", "momentum", "normalized"])
def test_silence_without_a_gradient_stays_silent(rule: str) -> None:
    best = best_of(walk(torch.zeros(2, 1, 9), lambda h: h, lambda s: s.square().mean(dim=(1, 2)), Refinement(steps=3, rule=rule)))
    assert torch.equal(best.signal, torch.zeros(2, 1, 9))


@pytest.mark.parametrize("rule", ["sgd", "momentum"])
def test_short_steps_of_a_half_precision_activation_add_up(rule: str) -> None:
    """A step moves by 0.02 / (1 + e) / 4 = 0.0013, which is below the resolution of bfloat16 at 1."""
    hidden, settings = torch.ones(1, 1, 4), Refinement(steps=40, step_size=0.02, rule=rule, momentum=0.0)
    half, full = (list(walk(start, lambda h: h, mean_logit, settings))[-1] for start in (hidden.bfloat16(), hidden))
    assert full.signal.mean() > 1.04
    assert torch.allclose(half.signal, full.signal, atol=1e-3)


def test_no_steps_give_the_generators_output_bit_for_bit() -> None:
    net, hidden = nn.Conv1d(2, 1, 3), torch.randn(2, 2, 9)
    with torch.no_grad():
        assert torch.equal(best_of(walk(hidden, net, mean_logit, Refinement(steps=0))).signal, net(hidden))


def test_example_that_is_good_enough_stays_where_it_is() -> None:
    hidden = torch.tensor([[[1.0]], [[-1.0]]])
    visits = list(walk(hidden, lambda h: h, mean_logit, Refinement(steps=3, step_size=0.5, enough_logit=0.5)))
    assert all(torch.equal(visit.signal[0], hidden[0]) for visit in visits)
    assert not torch.equal(visits[1].signal[1], hidden[1])


def test_samples_of_given_steps_are_those_of_the_walk() -> None:
    hidden, settings = torch.randn(3, 1, 4), Refinement(steps=2, step_size=0.3)
    visits = list(walk(hidden, lambda h: h, mean_logit, settings))
    picked = at_steps(iter(visits), torch.tensor([0, 2, 1]))
    assert all(torch.equal(picked[row], visits[step].signal[row]) for row, step in enumerate([0, 2, 1]))


def test_penalty_by_hand_and_its_pull() -> None:
    first = torch.tensor([[[3.0, 4.0]]])
    assert proximity(first)(torch.tensor([[[3.0, 5.0]]])).item() == pytest.approx(1 / 25)
    free, tied = (
        best_of(walk(first, lambda h: h, mean_logit, Refinement(steps=50, step_size=1.0, rule="sgd"), penalty)).signal
        for penalty in (None, lambda signal: proximity(first)(signal))
    )
    assert (tied - first).abs().max() < 0.5 * (free - first).abs().max()


def test_low_band_penalty_ignores_what_the_filter_rejects() -> None:
    taps = torch.tensor([0.25, 0.5, 0.25])
    time = torch.arange(64.0)
    corrupted, highest = torch.cos(0.1 * time)[None, None], torch.cos(math.pi * time)[None, None]
    penalty = low_band_proximity(corrupted, taps)
    assert penalty(corrupted + highest)[0] < 0.02  # the edges alone
    shifted = penalty(corrupted + 1.0)[0].item()
    assert shifted == pytest.approx((64 / corrupted.square().sum()).item(), rel=0.05)


def test_parameters_and_their_gradients_are_left_alone() -> None:
    net = nn.Sequential(nn.Conv1d(1, 4, 3, padding=1), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Conv1d(4, 1, 1)).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    best_of(walk(torch.randn(2, 1, 8), net, mean_logit, Refinement(steps=3)))
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


def test_what_is_yielded_holds_no_graph() -> None:
    net = nn.Conv1d(1, 1, 3, padding=1)
    for visit in walk(torch.randn(1, 1, 8), net, mean_logit, Refinement(steps=2)):
        assert not visit.signal.requires_grad
        assert not visit.logits.requires_grad


def test_walks_inside_inference_mode_on_tensors_made_outside_of_it() -> None:
    net, hidden = nn.Conv1d(1, 1, 3, padding=1), torch.randn(1, 1, 8)
    with torch.inference_mode():
        assert best_of(walk(hidden, net, mean_logit, Refinement(steps=2))).logits.shape == (1,)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "adam"}, "unknown model.refinement.rule=adam; known: sgd, momentum, normalized"),
        ({"steps": -1}, "steps=-1"),
        ({"steps": 2.5}, "steps=2.5.*a whole number from 0 on"),
        ({"step_size": 0.0}, "step_size=0.0"),
        ({"step_size": math.nan}, "step_size=nan"),
        ({"step_size": "long"}, "step_size=long"),
        ({"enough_logit": "high"}, "enough_logit=high must be a number, or null"),
        ({"momentum": 1.0}, "momentum=1.0"),
    ],
)
def test_mistake_is_named(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Refinement(**settings)  # type: ignore[arg-type]
