"""Chains compose as by hand, orders and strikes are drawn per example, and the lowest cutoff is passed on."""

from typing import Any

import pytest
import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import LowPass
from datamodules.corruptions.chain import Chain, RandomApply
from datamodules.corruptions.clipping import Clipping
from datamodules.corruptions.noise import Noise
from datamodules.describe import describe
from datamodules.splits import Split

RATE_HZ = 16000


class AddOne(Corruption):
    """A corruption whose place in a chain can be told from the result."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean + 1


class Double(Corruption):
    """A corruption that does not commute with `AddOne`."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean * 2


class EndsAt(Corruption):
    """A corruption that limits the band."""

    def __init__(self, limit_hz: float) -> None:
        self.limit_hz = limit_hz

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean

    def cutoff_hz(self, sample_rate: int) -> float:
        return self.limit_hz


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def clean_batch(batch: int = 4) -> Tensor:
    return torch.randn(batch, 2, 512, generator=seeded(99))


def test_fixed_chain_equals_composition_by_hand() -> None:
    noise, clipping = Noise(["white"], 10.0), Clipping(6.0)
    generator = seeded(1)
    by_hand = clipping(noise(clean_batch(), RATE_HZ, generator), RATE_HZ, generator)
    assert torch.equal(Chain([noise, clipping])(clean_batch(), RATE_HZ, seeded(1)), by_hand)


def test_fixed_order_is_the_listed_one() -> None:
    clean = clean_batch()
    assert torch.equal(Chain([AddOne(), Double()])(clean, RATE_HZ, seeded()), (clean + 1) * 2)


def test_random_order_is_drawn_anew_for_every_batch_and_every_step_strikes_once() -> None:
    clean, generator = clean_batch(), seeded()
    chain = Chain([AddOne(), Double()], order="random")
    results = [chain(clean, RATE_HZ, generator) for _ in range(100)]
    added_first = sum(torch.equal(result, (clean + 1) * 2) for result in results)
    doubled_first = sum(torch.equal(result, clean * 2 + 1) for result in results)
    assert added_first + doubled_first == 100
    assert 30 < added_first < 70


def test_sometimes_strikes_its_share_of_examples_and_leaves_the_rest() -> None:
    clean = clean_batch(300)
    corrupted = RandomApply(AddOne(), 0.25)(clean, RATE_HZ, seeded())
    struck = (corrupted == clean + 1).all(2).all(1)
    assert torch.equal(corrupted[~struck], clean[~struck])
    assert 50 < struck.sum() < 100


@pytest.mark.parametrize(("probability", "added"), [(0.0, 0.0), (1.0, 1.0)])
def test_certainty_strikes_none_or_all(probability: float, added: float) -> None:
    clean = clean_batch()
    assert torch.equal(RandomApply(AddOne(), probability)(clean, RATE_HZ, seeded()), clean + added)


@pytest.mark.parametrize("corruption", [Chain([AddOne(), Double()], "random"), RandomApply(AddOne(), 0.5)])
def test_clean_batch_is_not_modified(corruption: Chain | RandomApply) -> None:
    clean = clean_batch()
    corruption(clean, RATE_HZ, seeded())
    assert torch.equal(clean, clean_batch())


def test_nested_chain_is_determined_by_the_seed() -> None:
    chain = Chain([RandomApply(Noise(["pink"]), 0.5), Chain([Clipping(), Noise(["tpdf"])], "random")], "random")
    assert torch.equal(chain(clean_batch(), RATE_HZ, seeded(2)), chain(clean_batch(), RATE_HZ, seeded(2)))
    assert not torch.equal(chain(clean_batch(), RATE_HZ, seeded(2)), chain(clean_batch(), RATE_HZ, seeded(3)))


def test_lowest_cutoff_of_all_steps_is_passed_on() -> None:
    chain = Chain([AddOne(), RandomApply(EndsAt(3000.0)), Chain([EndsAt(5000.0)])])
    assert chain.cutoff_hz(RATE_HZ) == 3000.0


def test_cutoff_without_band_limit_is_half_the_rate() -> None:
    assert AddOne().cutoff_hz(RATE_HZ) == 8000.0
    assert Chain([AddOne(), EndsAt(20_000.0)]).cutoff_hz(RATE_HZ) == 8000.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": []}, "steps is empty"),
        ({"steps": [{"colors": ["white"]}]}, "steps holds .*, which is not a corruption"),
        ({"steps": [AddOne(), torch.sign]}, "steps holds .*sign.*, which is not a corruption: give the _target_ of a class"),
        ({"steps": [AddOne()], "order": "reverse"}, "known: fixed, random"),
    ],
)
def test_wrong_chain_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Chain(**settings)


def test_strike_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="corruption holds 5, which is not a corruption"):
        RandomApply(5)  # type: ignore[arg-type]


def test_impossible_probability_is_refused() -> None:
    with pytest.raises(ValueError, match=r"probability=1\.5"):
        RandomApply(AddOne(), 1.5)


class InSplit(AddOne):
    def __init__(self, split: str | None = None) -> None:
        self.split = split

    @property
    def skipped(self) -> list[str]:
        return ["noise.wav: is silent"]

    def for_split(self, split: Split) -> "InSplit":
        return InSplit(split)


def test_split_and_skipped_files_are_passed_through_chains() -> None:
    chain = Chain([AddOne(), RandomApply(InSplit(), 0.5), Chain([InSplit()], "random")], "random")
    chosen = chain.for_split("val")
    expected = Chain([AddOne(), RandomApply(InSplit("val"), 0.5), Chain([InSplit("val")], "random")], "random")
    assert describe(chosen) == describe(expected)
    assert describe(chain) != describe(chosen)
    assert chosen.skipped == ["noise.wav: is silent"] * 2
    assert Chain([AddOne()]).skipped == []


def test_impossible_rates_are_refused_through_chains() -> None:
    chain = Chain([AddOne(), RandomApply(Chain([LowPass([5000, 6000])]), 0.5)])
    chain.check(16_000, 1)
    key = r"^corruption\.steps\.1\.corruption\.steps\.0\.cutoff_hz=\[5000, 6000\] is not below half of data\.sample_rate=8000"
    with pytest.raises(ValueError, match=key):
        chain.check_under("corruption", 8000, 1)
