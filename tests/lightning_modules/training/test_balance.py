"""Shares of a gradient are what they say, whatever a loss is measured in, and outlive a checkpoint."""

import pytest
import torch
from torch import Tensor

from lightning_modules.training.balance import GradientBalance, Weights


def as_it_is(value: Tensor) -> Tensor:
    return value


def terms_of(restored: Tensor, scale: float = 1.0) -> dict[str, Tensor]:
    return {"l2": restored.square().mean(), "adversarial": scale * restored.sum(), "feature": 1e-6 * restored.abs().sum()}


def output(seed: int = 0) -> Tensor:
    return torch.randn(3, 1, 50, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def norms(terms: dict[str, Tensor], weights: dict[str, float], restored: Tensor) -> dict[str, float]:
    gradients = {name: torch.autograd.grad(weights[name] * term, restored, retain_graph=True)[0] for name, term in terms.items()}
    return {name: float(gradient.flatten(1).norm(dim=1).mean()) for name, gradient in gradients.items()}


def test_weights_stay_as_they_are() -> None:
    restored = output()
    assert Weights()(terms_of(restored), {"l2": 2.0}, restored, as_it_is) == {"l2": 2.0}


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e5])
def test_gradients_have_the_shares_and_come_to_the_size_of_the_reconstruction(scale: float) -> None:
    restored, shares = output(), {"l2": 2.0, "adversarial": 1.0, "feature": 1.0}
    terms = terms_of(restored, scale)
    alone = norms({"l2": terms["l2"]}, shares, restored)["l2"]
    found = norms(terms, GradientBalance()(terms, shares, restored, as_it_is), restored)
    assert found == pytest.approx({"l2": alone / 2, "adversarial": alone / 4, "feature": alone / 4}, rel=1e-4)


def test_reconstruction_alone_keeps_its_weight() -> None:
    restored = output()
    balanced = GradientBalance()({"l2": restored.square().mean()}, {"l2": 3.0}, restored, as_it_is)
    assert balanced == pytest.approx({"l2": 3.0})


def test_means_follow_the_steps_and_go_on_from_a_checkpoint() -> None:
    shares = {"l2": 1.0, "adversarial": 1.0, "feature": 1.0}
    balance, other = GradientBalance(decay=0.5), GradientBalance(decay=0.5)
    first, second = output(), output(1)
    balance(terms_of(first), shares, first, as_it_is)
    other.load_state_dict(balance.state_dict())
    terms = terms_of(second, 10.0)
    found = balance(terms, shares, second, as_it_is)
    assert other(terms, shares, second, as_it_is) == pytest.approx(found)
    mean = (0.5 * 50**0.5 + 10 * 50**0.5) / 1.5  # of the adversarial term's gradients, 1 and 10 at each of 50 samples
    alone = [norms({"l2": terms_of(signal)["l2"]}, shares, signal)["l2"] for signal in (first, second)]
    assert found["adversarial"] == pytest.approx((0.5 * alone[0] + alone[1]) / 1.5 / 3 / mean, rel=1e-4)


def test_processes_agree_on_their_mean() -> None:
    restored, shares = output(), {"l2": 1.0, "adversarial": 1.0, "feature": 1.0}
    terms = terms_of(restored)
    doubled = GradientBalance()(terms, shares, restored, lambda value: 2 * value)
    assert doubled == pytest.approx(GradientBalance()(terms, shares, restored, as_it_is))


@pytest.mark.parametrize("decay", [-0.1, 1.0])
def test_impossible_decay_is_refused(decay: float) -> None:
    with pytest.raises(ValueError, match=f"model.balance.decay={decay}"):
        GradientBalance(decay)
