"""What an adversarial method may be configured with."""

import pytest
from torch import nn

from lightning_modules.training.settings import check_penalized, checked_names, checked_norms, checked_penalties, checked_weights


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_weight_that_is_no_weight_is_named(weight: float) -> None:
    with pytest.raises(ValueError, match=f"model.loss_weights.l1={weight} must be a number, at least 0"):
        checked_weights("loss_weights", {"l2": 1.0, "l1": weight})
    with pytest.raises(ValueError, match=f"model.penalty_weights.r1={weight}"):
        checked_penalties({"r1": weight})


@pytest.mark.parametrize("norm", [0.0, -1.0, float("nan")])
def test_norm_that_bounds_nothing_is_named(norm: float) -> None:
    with pytest.raises(ValueError, match=f"model.gradient_clip_norms.generator={norm} must be positive"):
        checked_norms({"generator": norm})


def test_what_is_right_comes_back() -> None:
    assert checked_weights("loss_weights", {"l2": 1, "l1": 0}) == {"l2": 1.0, "l1": 0.0}
    assert checked_norms({"generator": None, "discriminator": 2.0}) == {"generator": None, "discriminator": 2.0}
    assert checked_names("schedulers", {"autoencoder": None}) == {"autoencoder": None}


def test_unknown_names_are_named() -> None:
    with pytest.raises(ValueError, match="unknown model.penalty_weights r2; known: r1, gradient_penalty"):
        checked_penalties({"r2": 1.0})
    with pytest.raises(ValueError, match="unknown networks critic in model.schedulers; known: generator"):
        checked_names("schedulers", {"critic": None})


def test_gradient_is_not_penalized_under_batch_norm() -> None:
    judge = nn.Sequential(nn.Conv1d(1, 1, 1), nn.BatchNorm1d(1))
    check_penalized(judge, {"r1": 0.0})
    check_penalized(judge[0], {"r1": 1.0})
    with pytest.raises(ValueError, match="model.discriminator.norm=layer, group, spectral or none"):
        check_penalized(judge, {"r1": 1.0})
