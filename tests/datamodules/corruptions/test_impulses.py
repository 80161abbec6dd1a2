"""Impulses have the asked deviation, rate, height and both signs, drawn per example."""

from typing import Any

import pytest
import torch

from datamodules.corruptions.impulses import Impulses

RATE_HZ = 16000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_has_the_asked_deviation() -> None:
    silence = torch.zeros(2, 1, 50_000)
    noise = Impulses(deviation=0.05, probability=0)(silence, RATE_HZ, seeded())
    assert torch.allclose(noise.std(dim=2), torch.tensor(0.05), rtol=0.02)


def test_deviation_is_drawn_per_example_and_shared_by_channels() -> None:
    noise = Impulses(deviation=[0.01, 0.1], probability=0)(torch.zeros(50, 2, 5000), RATE_HZ, seeded())
    deviation = noise.std(dim=2)
    assert torch.allclose(deviation[:, 0], deviation[:, 1], rtol=0.1)
    assert deviation.min() < 0.02
    assert deviation.max() > 0.09
    assert not torch.equal(noise[:, 0], noise[:, 1])


@pytest.mark.parametrize("probability", [1e-3, 0.05])
def test_transients_strike_at_their_rate_with_both_signs_and_exact_height(probability: float) -> None:
    silence = torch.zeros(8, 1, 50_000)
    transients = Impulses(deviation=0, probability=probability, amplitude=0.4)(silence, RATE_HZ, seeded())
    struck = transients[transients != 0]
    assert torch.allclose(struck.abs(), torch.tensor(0.4))
    assert len(struck) == pytest.approx(probability * silence.numel(), rel=0.2)
    assert (struck > 0).float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_rate_of_transients_is_drawn_per_example() -> None:
    transients = Impulses(deviation=0, probability=[0, 0.1], amplitude=1)(torch.zeros(50, 1, 5000), RATE_HZ, seeded())
    rates = (transients != 0).float().mean((1, 2))
    assert rates.min() < 0.01
    assert rates.max() > 0.09


def test_certain_transients_strike_every_sample() -> None:
    struck = Impulses(deviation=0, probability=1, amplitude=0.5)(torch.zeros(1, 1, 1000), RATE_HZ, seeded())
    assert torch.equal(struck.abs(), torch.full_like(struck, 0.5))


def test_clean_audio_keeps_its_level_and_is_not_modified() -> None:
    clean = torch.randn(2, 2, 1000, generator=seeded(1))
    before = clean.clone()
    impulses = Impulses()
    difference = impulses(clean, RATE_HZ, seeded()) - impulses(torch.zeros_like(clean), RATE_HZ, seeded())
    assert torch.allclose(difference, clean, atol=1e-6)
    assert torch.equal(clean, before)


def test_same_seed_gives_same_impulses() -> None:
    clean = torch.zeros(2, 1, 100)
    assert torch.equal(Impulses()(clean, RATE_HZ, seeded(3)), Impulses()(clean, RATE_HZ, seeded(3)))
    assert not torch.equal(Impulses()(clean, RATE_HZ, seeded(3)), Impulses()(clean, RATE_HZ, seeded(4)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": [0, 2]}, "probability="),
        ({"probability": -0.1}, "probability="),
        ({"deviation": -1}, "must not be negative"),
        ({"amplitude": [1, 0]}, "amplitude="),
    ],
)
def test_wrong_setting_is_refused_by_name(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Impulses(**settings)
