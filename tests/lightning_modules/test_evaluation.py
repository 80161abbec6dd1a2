"""The comparison: what counts as better, which classical method stands in the table, and equal weight for every pair."""

import math

import pytest

from lightning_modules.evaluation import Scores, is_better, mean_scores, spread, unbeaten, with_best_classical

INPUT = Scores("corrupted", "corrupted", {"snr_db": 5.0, "lsd": 2.0})
SINC = Scores("sinc", "classical", {"snr_db": 6.0, "lsd": 3.0})
FILL = Scores("noise_fill", "classical", {"snr_db": 4.0, "lsd": 1.0})
NET = Scores("unet", "learned", {"snr_db": 7.0, "lsd": 1.5})


def test_better_follows_the_direction_of_the_metric() -> None:
    assert is_better("snr_db", 2.0, 1.0)
    assert is_better("lsd", 1.0, 2.0)
    assert not is_better("lsd", 1.0, 1.0)


@pytest.mark.parametrize(("metric", "kept"), [("snr_db", SINC), ("lsd", FILL)])
def test_only_the_best_classical_row_is_kept(metric: str, kept: Scores) -> None:
    assert with_best_classical([INPUT, SINC, FILL, NET], metric) == [INPUT, kept, NET]


def test_classical_method_under_test_keeps_its_own_row() -> None:
    assert with_best_classical([INPUT, SINC, FILL], "snr_db") == [INPUT, SINC, FILL]


def test_table_without_classical_methods_is_left_as_it_is() -> None:
    assert with_best_classical([INPUT, NET], "snr_db") == [INPUT, NET]


def test_unbeaten_names_what_is_at_least_as_good() -> None:
    assert unbeaten(NET, [INPUT, SINC, FILL], "snr_db") == []
    assert unbeaten(NET, [INPUT, SINC, FILL], "lsd") == ["noise_fill"]
    assert unbeaten(NET, [NET], "lsd") == ["unet"]


def test_mean_weighs_pairs_equally_and_leaves_out_what_does_not_exist() -> None:
    rows = [
        {"index": 0, "snr_db": 1.0, "corrupted_snr_db": 0.0, "pesq_wb": math.nan, "corrupted_pesq_wb": 1.5},
        {"index": 1, "snr_db": 4.0, "corrupted_snr_db": 1.0, "pesq_wb": 2.0, "corrupted_pesq_wb": 2.5},
    ]
    assert mean_scores("net", "learned", rows).means == {"snr_db": 2.5, "pesq_wb": 2.0}
    assert mean_scores("corrupted", "corrupted", rows).means == {"snr_db": 0.5, "pesq_wb": 2.0}


def test_mean_of_nothing_is_not_a_number() -> None:
    assert math.isnan(mean_scores("net", "learned", [{"pesq_wb": math.nan}]).means["pesq_wb"])


@pytest.mark.parametrize(("total", "count", "expected"), [(10, 4, [0, 2, 5, 7]), (2, 4, [0, 1]), (0, 4, []), (5, 0, [])])
def test_examples_are_spread_over_the_pairs(total: int, count: int, expected: list[int]) -> None:
    assert spread(total, count) == expected
