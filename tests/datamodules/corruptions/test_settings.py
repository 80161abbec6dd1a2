"""Settings of corruptions: what is read, and that a mistake is told by its key."""

import pytest

from datamodules.corruptions.settings import known_names, positive_range, probability, range_within, whole_range


def test_known_names_keep_their_order() -> None:
    assert known_names(["b", "a"], "filters", {"a": 1, "b": 2}) == ("b", "a")


@pytest.mark.parametrize("names", ["a", [], ["a", "c"]])
def test_other_names_are_refused_and_the_known_ones_listed(names: list[str]) -> None:
    with pytest.raises(ValueError, match="filters=.* is not a list of known names; known: a, b"):
        known_names(names, "filters", ["a", "b"])


def test_probability_reaches_from_zero_to_one() -> None:
    assert [probability(value, "aliased") for value in (0, 0.5, 1)] == [0, 0.5, 1]
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="aliased=.* is not a probability from 0 to 1"):
            probability(value, "aliased")


def test_range_of_whole_numbers_is_read_from_a_number_or_its_ends() -> None:
    assert whole_range(4, "order", 1, 16) == (4, 4)
    assert whole_range([2, 16], "order", 1, 16) == (2, 16)
    for value in (2.5, [0, 3], [3, 17]):
        with pytest.raises(ValueError, match="order=.* is not made of whole numbers from 1 to 16"):
            whole_range(value, "order", 1, 16)


def test_range_must_lie_within_its_limits() -> None:
    assert range_within([0.2, 1.2], "t60_s", 0.1, 2) == (0.2, 1.2)
    for value in (0.05, [1, 3]):
        with pytest.raises(ValueError, match="t60_s=.* is not within 0.1 to 2"):
            range_within(value, "t60_s", 0.1, 2)


def test_positive_range_begins_above_zero() -> None:
    assert positive_range([1e-9, 1.2], "t60_s") == (1e-9, 1.2)
    for value in (0, [0.0, 1.0], [-1, 1]):
        with pytest.raises(ValueError, match="t60_s=.* must be above 0"):
            positive_range(value, "t60_s")
