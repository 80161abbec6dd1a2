"""Scores of a method: equal weight for every pair, and whether it changes them."""

import math

import pytest

from lightning_modules.runs.evaluation import evenly_spaced, mean_scores


def pair(pesq: float, of_input: float) -> dict[str, float]:
    return {"pesq_wb": pesq, "corrupted_pesq_wb": of_input}


def test_mean_weighs_pairs_equally() -> None:
    rows = [{"snr_db": 1.0, "corrupted_snr_db": 0.0}, {"snr_db": 4.0, "corrupted_snr_db": 1.0}]
    assert mean_scores("net", "learned", rows).means == {"snr_db": 2.5}
    assert mean_scores("corrupted", "corrupted", rows).means == {"snr_db": 0.5}


def test_all_rows_average_over_the_pairs_on_which_the_input_has_a_value() -> None:
    rows = [pair(3.0, math.nan), pair(2.0, 2.5), pair(3.0, 1.5)]
    assert mean_scores("net", "learned", rows).means == {"pesq_wb": 2.5}
    assert mean_scores("corrupted", "corrupted", rows).means == {"pesq_wb": 2.0}


def test_method_that_fails_on_a_pair_is_not_judged_by_the_others() -> None:
    rows = [pair(math.nan, 1.0), pair(4.0, 3.0)]
    assert math.isnan(mean_scores("net", "learned", rows).means["pesq_wb"])
    assert mean_scores("corrupted", "corrupted", rows).means == {"pesq_wb": 2.0}


def test_scores_say_how_many_pairs_the_method_changes() -> None:
    rows = [{"lsd": 1.0, "corrupted_lsd": value} for value in (1.0, 1.001, 1.5, 0.9)]
    assert mean_scores("sinc", "classical", rows).changed_share == 0.5


def test_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(mean_scores("net", "learned", [pair(math.nan, math.nan)]).means["pesq_wb"])


@pytest.mark.parametrize(("total", "count", "expected"), [(10, 4, [0, 2, 5, 7]), (2, 4, [0, 1]), (0, 4, []), (5, 0, [])])
def test_examples_are_spread_over_the_pairs(total: int, count: int, expected: list[int]) -> None:
    assert evenly_spaced(total, count) == expected
