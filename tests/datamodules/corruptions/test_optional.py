"""Every corruption has an answer to what only some can be asked."""

from typing import Any

import pytest
import torch
from torch import Tensor

from datamodules.corruptions import optional


class Plain:
    """A corruption that cannot be asked anything."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        return clean


class Telling(Plain):
    """One that can be asked everything."""

    def __init__(self) -> None:
        self.skipped = ["a.wav: holds no samples"]
        self.checked: list[tuple[int, int]] = []

    def cutoff_hz(self, sample_rate: int) -> float:
        return 3000.0

    def for_split(self, split: str) -> Any:
        return f"for {split}"

    def check(self, sample_rate: int, channels: int) -> None:
        self.checked.append((sample_rate, channels))
        if channels > 2:
            raise ValueError("two channels at most")


def test_plain_corruption_limits_nothing_serves_every_split_and_skips_nothing() -> None:
    plain = Plain()
    assert optional.cutoff_hz(plain, 16000) == 8000
    assert optional.for_split(plain, "val") is plain
    assert optional.skipped(plain) == []
    optional.check(plain, 16000, 99)


def test_answer_of_a_corruption_is_passed_on() -> None:
    telling = Telling()
    assert optional.cutoff_hz(telling, 16000) == 3000
    assert optional.for_split(telling, "val") == "for val"  # type: ignore[comparison-overlap]
    optional.check(telling, 16000, 2)
    assert telling.checked == [(16000, 2)]
    with pytest.raises(ValueError, match="two channels at most"):
        optional.check(telling, 16000, 3)


def test_cutoff_never_exceeds_half_the_rate() -> None:
    assert optional.cutoff_hz(Telling(), 4000) == 2000


def test_list_of_skipped_files_is_a_copy() -> None:
    telling = Telling()
    optional.skipped(telling).clear()
    assert telling.skipped == ["a.wav: holds no samples"]
