"""Counts are whole numbers from a lowest one on, and the key of another value is named."""

import pytest

from models.layers.counts import check_count


def test_whole_numbers_from_the_lowest_on_are_counts() -> None:
    check_count("model.net.steps", 1)
    check_count("model.net.step_features", 0, lowest=0)
    with pytest.raises(ValueError, match=r"model.net.step_features=-1 must be a whole number, at least 0"):
        check_count("model.net.step_features", -1, lowest=0)


@pytest.mark.parametrize("count", [0, -3, 2.5, 2.0, True, "two", None, [2]])
def test_anything_else_is_refused_by_its_key(count: object) -> None:
    with pytest.raises(ValueError, match=r"model.net.steps=.* must be a whole number, at least 1"):
        check_count("model.net.steps", count)
