"""Adversarial losses by hand on three logits, and penalties against their formulas on a discriminator with a known gradient."""

import math

import pytest
import torch
from torch import Tensor

from lightning_modules.losses import adversarial as adversaries

LOGITS = torch.tensor([-1.0, 0.0, 2.0])
OTHERS = torch.tensor([0.5, -0.5, 1.0])


def softplus(value: float) -> float:
    return math.log1p(math.exp(value))


@pytest.mark.parametrize(
    ("name", "discriminator", "generator"),
    [
        (
            "bce",
            (softplus(1) + softplus(0) + softplus(-2)) / 3 + (softplus(0.5) + softplus(-0.5) + softplus(1)) / 3,
            (softplus(-0.5) + softplus(0.5) + softplus(-1)) / 3,
        ),
        (
            "bce_half",
            (softplus(1) + softplus(0) + softplus(-2)) / 6 + (softplus(0.5) + softplus(-0.5) + softplus(1)) / 6,
            (softplus(-0.5) + softplus(0.5) + softplus(-1)) / 3,
        ),
        ("lsgan", (4 + 1 + 1) / 3 + (0.25 + 0.25 + 1) / 3, (0.25 + 2.25 + 0) / 3),
        ("hinge", (2 + 1 + 0) / 3 + (1.5 + 0.5 + 2) / 3, -1 / 3),
    ],
)
def test_losses_of_three_logits(name: str, discriminator: float, generator: float) -> None:
    adversary = adversaries.find_adversary(name)
    assert adversary.discriminator(LOGITS, OTHERS).item() == pytest.approx(discriminator, abs=1e-6)
    assert adversary.generator(OTHERS).item() == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("name", list(adversaries.ADVERSARIES))
def test_generator_gains_by_looking_cleaner_and_discriminator_by_being_right(name: str) -> None:
    adversary = adversaries.find_adversary(name)
    assert adversary.generator(torch.tensor([0.6])) < adversary.generator(torch.tensor([0.2]))
    right = adversary.discriminator(torch.tensor([0.9]), torch.tensor([-0.9]))
    assert right < adversary.discriminator(torch.tensor([-0.9]), torch.tensor([0.9]))


def test_saturated_logits_stay_finite_in_value_and_gradient() -> None:
    logits = torch.tensor([-1e4, 1e4], requires_grad=True)
    loss = adversaries.bce_discriminator(logits, logits) + adversaries.bce_generator(logits)
    loss.backward()
    assert torch.isfinite(loss)
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


def test_unknown_adversary_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="unknown model.adversary=wgan; known: bce, bce_half, lsgan, hinge"):
        adversaries.find_adversary("wgan")


SLOPE = torch.tensor([[[3.0, 4.0]]])  # of length 5


def linear(signals: Tensor) -> Tensor:
    """Judge (B, 1, 2) by one logit, whose gradient is SLOPE everywhere."""
    return (SLOPE * signals).sum(dim=2, keepdim=True)


def test_r1_of_a_linear_discriminator_is_its_squared_slope() -> None:
    assert adversaries.r1_penalty(linear, torch.randn(3, 1, 2)).item() == pytest.approx(25.0)


def test_r1_of_patch_logits_is_that_of_their_mean() -> None:
    def twice(signals: Tensor) -> Tensor:
        return torch.cat([linear(signals), linear(signals)], dim=2)

    assert adversaries.r1_penalty(twice, torch.randn(3, 1, 2)).item() == pytest.approx(25.0)


def test_gradient_penalty_is_the_squared_distance_of_the_slope_from_one() -> None:
    penalty = adversaries.gradient_penalty(linear, torch.randn(3, 1, 2), torch.randn(3, 1, 2), torch.rand(3, 1, 1))
    assert penalty.item() == pytest.approx(16.0)


def test_gradient_penalty_looks_between_the_signals_at_the_share_that_is_given() -> None:
    def square(signals: Tensor) -> Tensor:
        return 0.5 * signals.square().sum(dim=2, keepdim=True)  # its gradient is the signal itself

    clean, restored = torch.ones(1, 1, 1), torch.full((1, 1, 1), 3.0)
    penalty = adversaries.gradient_penalty(square, clean, restored, torch.full((1, 1, 1), 0.25))
    assert penalty.item() == pytest.approx((0.25 + 0.75 * 3 - 1) ** 2, rel=1e-5)


def test_penalty_reaches_the_weights_of_the_discriminator_and_not_the_signals() -> None:
    weight = torch.tensor(2.0, requires_grad=True)
    clean = torch.randn(2, 1, 4, requires_grad=True)
    adversaries.r1_penalty(lambda signals: weight * signals.sum(dim=2), clean).backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(2 * 2.0 * 4)
    assert clean.grad is None


def test_penalty_is_float32_under_autocast() -> None:
    layer = torch.nn.Conv1d(1, 1, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        under = adversaries.r1_penalty(layer, torch.ones(1, 1, 8))
    assert torch.equal(under, adversaries.r1_penalty(layer, torch.ones(1, 1, 8)))


def test_feature_matching_averages_layers_of_unlike_size_and_teaches_the_restored_alone() -> None:
    clean = [torch.tensor([1.0, 2.0, 3.0], requires_grad=True), torch.tensor([0.0])]
    restored = [torch.tensor([1.0, 2.0, 0.0], requires_grad=True), torch.tensor([2.0])]
    loss = adversaries.feature_matching(clean, restored)
    loss.backward()
    assert loss.item() == pytest.approx((1.0 + 2.0) / 2)
    assert clean[0].grad is None
    assert restored[0].grad is not None
