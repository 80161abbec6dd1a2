"""The cache keeps what was used last and never more than its budget."""

import numpy as np
import pytest

from datamodules.corruptions.recorded.byte_cache import ByteCache


def test_what_was_not_used_for_longest_goes_first() -> None:
    cache, made = ByteCache(3000), []

    def get(name: str) -> None:
        cache.get(name, lambda: (made.append(name), np.zeros(1000, np.int8))[1])

    for name in ("a", "b", "c", "a", "d", "a", "c", "b"):
        get(name)
    assert made == ["a", "b", "c", "d", "b"]


def test_budget_counts_bytes_not_arrays() -> None:
    cache = ByteCache(1000)
    for number in range(100):
        cache.get(number, lambda: np.zeros(10, np.int8))
    cache.get(0, lambda: pytest.fail("was thrown away"))
    cache.get("large", lambda: np.zeros(990, np.int8))
    assert cache.get(0, lambda: np.ones(1)).sum() == 0
    assert cache.get(99, lambda: np.ones(1)).sum() == 1


def test_an_array_above_the_budget_is_kept_alone() -> None:
    cache = ByteCache(10)
    assert cache.get("large", lambda: np.zeros(100)).shape == (100,)
    assert cache.get("large", lambda: np.zeros(1)).shape == (100,)
