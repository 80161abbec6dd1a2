"""Scores of a method: equal weight for every pair, and whether it changes them."""

import math

import pytest

from lightning_modules.evaluation import mean_scores, spread


def test_mean_weighs_pairs_equally_and_leaves_out_what_does_not_exist() -> None:
    rows = [
        {"index": 0, "snr_db": 1.0, "corrupted_snr_db": 0.0, "pesq_wb": math.nan, "corrupted_pesq_wb": 1.5},
        {"index": 1, "snr_db": 4.0, "corrupted_snr_db": 1.0, "pesq_wb": 2.0, "corrupted_pesq_wb": 2.5},
    ]
    assert mean_scores("net", "learned", rows).means == {"snr_db": 2.5, "pesq_wb": 2.0}
    assert mean_scores("corrupted", "corrupted", rows).means == {"snr_db": 0.5, "pesq_wb": 2.0}


def test_scores_say_how_many_pairs_the_method_changes() -> None:
    rows = [{"lsd": 1.0, "corrupted_lsd": value} for value in (1.0, 1.001, 1.5, 0.9)]
    assert mean_scores("sinc", "classical", rows).changed_share == 0.5


def test_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(mean_scores("net", "learned", [{"pesq_wb": math.nan}]).means["pesq_wb"])


@pytest.mark.parametrize(("total", "count", "expected"), [(10, 4, [0, 2, 5, 7]), (2, 4, [0, 1]), (0, 4, []), (5, 0, [])])
def test_examples_are_spread_over_the_pairs(total: int, count: int, expected: list[int]) -> None:
    assert spread(total, count) == expected
