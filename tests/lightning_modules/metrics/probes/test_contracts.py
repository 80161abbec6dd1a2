"""What holds of every probe: one value, the same again, no difference to what it is given, and none made of NaN."""

import math

import pytest
import torch
from torch import Tensor

from lightning_modules.metrics.probes.collection import offered_probes
from lightning_modules.metrics.probes.subject import Pairs, Subject
from lightning_modules.metrics.registry import METRICS

RATE_HZ = 8000
LARGEST_DB = 100.0
PROBES = offered_probes(RATE_HZ)


def subject(restorer: object = lambda signal: signal, count: int = 4) -> Subject:
    draw = torch.Generator().manual_seed(0)
    cleans = [torch.randn(1, RATE_HZ, generator=draw) / 10 for _ in range(count)]
    data = [{"clean": clean, "corrupted": clean + torch.randn(1, RATE_HZ, generator=draw) / 30} for clean in cleans]
    return Subject(restorer, RATE_HZ, 1, Pairs(data, {index: f"{index}.wav" for index in range(count)}))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", PROBES)
def test_probe_says_the_same_again_whatever_was_drawn_elsewhere(name: str) -> None:
    torch.manual_seed(0)
    value = PROBES[name](subject())
    torch.manual_seed(1)
    state = torch.get_rng_state()
    assert PROBES[name](subject()) == value
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("name", PROBES)
@pytest.mark.parametrize("pairs", [1, 4, 20])
def test_value_is_in_its_range_however_many_pairs_there_are(name: str, pairs: int) -> None:
    value = PROBES[name](subject(count=pairs))
    assert isinstance(value, float)
    limit = LARGEST_DB if METRICS[name].unit in ("dB", "%") else math.inf
    assert math.isnan(value) or abs(value) <= limit


@pytest.mark.parametrize("name", PROBES)
def test_pairs_stay_as_they_are(name: str) -> None:
    asked = subject(lambda signal: 0.9 * signal)
    before = [{key: signal.clone() for key, signal in pair.items()} for pair in asked.pairs.dataset]
    PROBES[name](asked)
    assert all(
        torch.equal(pair[key], known[key]) for pair, known in zip(asked.pairs.dataset, before, strict=True) for key in pair
    )


@pytest.mark.parametrize("name", PROBES)
def test_restoration_of_nan_is_never_better_than_the_input(name: str) -> None:
    def broken(signal: Tensor) -> Tensor:
        return signal * math.nan

    sign, of_input, value = METRICS[name].sign, PROBES[name](subject()), PROBES[name](subject(broken))
    assert math.isnan(value) or sign * value <= sign * of_input
