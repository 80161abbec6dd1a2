"""Clipping limits each example at its depth below its own peak and leaves quiet samples as they are."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from datamodules.corruptions.clipping import Clipping

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def sines(batch: int = 3) -> Tensor:
    time = torch.arange(1600) / RATE_HZ
    stereo = torch.stack([torch.sin(2 * math.pi * 100 * time), 0.5 * torch.cos(2 * math.pi * 300 * time)])
    return stereo * torch.arange(1, batch + 1).view(-1, 1, 1)


def test_hard_clipping_limits_at_the_threshold_and_keeps_the_rest() -> None:
    clean = sines()
    clipped = Clipping(depth_db=20 * math.log10(2), shapes=["hard"])(clean, RATE_HZ, seeded())
    threshold = torch.tensor([0.5, 1.0, 1.5]).view(-1, 1, 1)
    expected = torch.clamp(clean, -threshold, threshold)
    assert torch.allclose(clipped, expected, atol=1e-6)


def test_soft_clipping_saturates_as_hyperbolic_tangent() -> None:
    clean = sines()
    clipped = Clipping(depth_db=20, shapes=["soft"])(clean, RATE_HZ, seeded())
    threshold = 0.1 * torch.tensor([1.0, 2.0, 3.0]).view(-1, 1, 1)
    assert torch.allclose(clipped, threshold * torch.tanh(clean / threshold), atol=1e-6)


def test_soft_clipping_keeps_the_level_of_quiet_samples() -> None:
    clean = torch.full((1, 1, 1000), 1e-3)
    clean[..., 0] = 1.0
    clipped = Clipping(depth_db=6, shapes=["soft"])(clean, RATE_HZ, seeded())
    assert torch.allclose(clipped[..., 1:], clean[..., 1:], rtol=1e-4)


def test_depth_is_drawn_per_example_within_its_range() -> None:
    peaks = Clipping(depth_db=[3, 20], shapes=["hard"])(sines().repeat(50, 1, 1), RATE_HZ, seeded()).abs().amax((1, 2))
    depth_db = -20 * torch.log10(peaks / torch.tensor([1.0, 2.0, 3.0]).repeat(50))
    assert 3 - 1e-3 <= depth_db.min() < 4
    assert 19 < depth_db.max() <= 20 + 1e-3


def test_both_shapes_are_drawn() -> None:
    clipped = Clipping(depth_db=6, shapes=["hard", "soft"])(sines(1).repeat(100, 1, 1), RATE_HZ, seeded())
    hard = (clipped - clipped[0]).abs().amax((1, 2)) < 1e-6
    assert 25 < hard.sum() < 75


def test_no_depth_changes_nothing() -> None:
    assert torch.equal(Clipping(depth_db=0, shapes=["hard"])(sines(), RATE_HZ, seeded()), sines())


def test_silence_stays_silent_and_clean_audio_unmodified() -> None:
    clean = sines()
    clean[1] = 0
    before = clean.clone()
    clipped = Clipping()(clean, RATE_HZ, seeded())
    assert torch.isfinite(clipped).all()
    assert torch.equal(clipped[1], clean[1])
    assert torch.equal(clean, before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"depth_db": -3}, "must not be negative"),
        ({"depth_db": [20, 3]}, "depth_db="),
        ({"shapes": ["fuzzy"]}, "known: hard, soft"),
        ({"shapes": []}, "known: hard, soft"),
        ({"shapes": "hard"}, "is not a list"),
    ],
)
def test_wrong_setting_is_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Clipping(**settings)
