"""Counts are whole numbers from a lowest one on, and the key of another value is named."""

import pytest

from models.layers.counts import check_count, check_odd


def test_whole_numbers_from_the_lowest_on_are_counts() -> None:
    check_count("model.net.steps", 1)
    check_count("model.net.step_features", 0, lowest=0)
    with pytest.raises(ValueError, match=r"model.net.step_features=-1 must be a whole number, at least 0"):
        check_count("model.net.step_features", -1, lowest=0)


@pytest.mark.parametrize("count", [0, -3, 2.5, 2.0, True, "two", None, [2]])
def test_anything_else_is_refused_by_its_key(count: object) -> None:
    with pytest.raises(ValueError, match=r"model.net.steps=.* must be a whole number, at least 1"):
        check_count("model.net.steps", count)


def test_odd_counts_pass_and_others_are_refused_by_name() -> None:
    check_odd("model.net.taps", 3, lowest=3)
    for count, message in (
        (4, "taps=4 must be odd"),
        (1, "taps=1 must be a whole number, at least 3"),
        (3.0, "taps=3.0 must be a"),
    ):
        with pytest.raises(ValueError, match=message):
            check_odd("@taps", count, lowest=3)
