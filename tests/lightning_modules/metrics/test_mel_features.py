"""Distances of a classifier's features: their definition in NumPy, and the contract of all metrics."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.mel_features import FARTHEST, INFO, FeatureDistance
from models.mel_classifier import MelClassifier
from tests.lightning_modules.metrics.contracts import CHECKS, RATE_HZ, Subject, damaged, speech


def distance() -> FeatureDistance:
    torch.manual_seed(0)
    return FeatureDistance(MelClassifier(RATE_HZ, bands=32, channels=4, tasks=1, classes=2))


def by_definition(restored: Tensor, clean: Tensor) -> float:
    """Compare one signal with one other, (1, 1, T) each."""
    judge, layers = distance().judge, []
    for pair in zip(judge.features(restored, 6), judge.features(clean, 6), strict=True):
        f, g = (features[0].double().numpy() for features in pair)
        f, g = (each / np.maximum(np.linalg.norm(each, axis=0), 1e-12) for each in (f, g))
        layers.append(((f - g) ** 2).sum(axis=0).mean())
    return float(np.mean(layers))


def test_distance_is_that_of_the_definition() -> None:
    clean = speech(2, 2)
    restored = damaged(clean, 10.0)
    each = [by_definition(restored[1:, [channel]], clean[1:, [channel]]) for channel in (0, 1)]
    assert distance()(restored, clean)[1].item() == pytest.approx(np.mean(each), rel=1e-4)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_contract(check: Callable[[Subject], None]) -> None:
    check(Subject(INFO.name, distance(), INFO.sign, 0.0, FARTHEST))


def test_judge_is_not_moved_and_does_not_learn_from_what_it_hears() -> None:
    metric, clean = distance(), speech(1, 1)
    before = {name: value.clone() for name, value in metric.judge.state_dict().items()}
    metric(damaged(clean, 0.0), clean)
    assert all(torch.equal(value, before[name]) for name, value in metric.judge.state_dict().items())
    assert not any(parameter.requires_grad for parameter in metric.judge.parameters())


@pytest.mark.parametrize("length", [1, 100, 2049])
def test_every_length_has_a_value(length: int) -> None:
    clean = speech(1, 1)[..., :length]
    assert 0 <= distance()(-clean + 0.01, clean).item() <= FARTHEST
