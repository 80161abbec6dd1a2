"""Echoes come back at multiples of the delay, each times the decay."""

import pytest
import torch

from datamodules.corruptions.echo import Echo
from datamodules.corruptions.pipeline import Pipeline

RATE_HZ = 8000


def seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_impulse_comes_back_as_often_as_asked() -> None:
    audio = torch.zeros(1, 1, 1000)
    audio[..., 10] = 1
    expected = torch.zeros(1, 1, 1000)
    for number, level in enumerate((1, 0.5, 0.25)):
        expected[..., 10 + 160 * number] = level
    assert torch.allclose(Pipeline("echo 20 0.5 2")(audio, RATE_HZ, seeded()), expected, atol=1e-6)


def test_one_echo_is_the_default_of_the_step() -> None:
    audio = torch.randn(2, 2, 1000, generator=seeded())
    echoed = Pipeline("echo 20 0.5")(audio, RATE_HZ, seeded())
    assert torch.allclose(echoed[..., 160:], audio[..., 160:] + 0.5 * audio[..., :-160], atol=1e-5)
    assert torch.allclose(echoed[..., :160], audio[..., :160], atol=1e-5)


def test_echo_behind_the_end_is_not_heard() -> None:
    audio = torch.randn(1, 1, 100, generator=seeded())
    assert torch.allclose(Echo(1000, 1.0, 5)(audio, RATE_HZ, seeded()), audio, atol=1e-5)


def test_examples_draw_delay_decay_and_number() -> None:
    audio = torch.zeros(200, 1, 8000)
    audio[..., 0] = 1
    echoed = Echo([100, 200], [0.3, 0.6], [1, 3])(audio, RATE_HZ, seeded())
    echoes = (echoed.abs() > 1e-3).sum((1, 2)) - 1
    first = (echoed[:, 0, 1:].abs() > 1e-3).int().argmax(1) + 1
    assert sorted(set(echoes.tolist())) == [1, 2, 3]
    assert 800 <= first.min() < 850 and 1550 < first.max() <= 1600


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delay_ms": 0}, "delay_ms=0 must be above 0"),
        ({"decay": 2}, "decay=2 is not within"),
        ({"repeats": 0}, "repeats=0 is not"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Echo(**settings)
