"""Controls: what counts as better, what is a control, and which classical rows a table shows."""

import math

import pytest

from lightning_modules.runs.controls import (
    LeftOut,
    beats_controls,
    best_control,
    changed_share,
    choose_rows,
    is_better,
    is_control,
    won_by_controls,
)
from lightning_modules.runs.evaluation import Scores

INPUT = Scores("corrupted", "corrupted", {"snr_db": 5.0, "lsd": 2.0})
SINC = Scores("sinc", "classical", {"snr_db": 6.0, "lsd": 3.0})
FILL = Scores("noise_fill", "classical", {"snr_db": 4.0, "lsd": 1.0})
USELESS = Scores("wiener", "classical", {"snr_db": 5.5, "lsd": 1.5})
IDLE = Scores("cubic_spline", "classical", {"snr_db": 9.0, "lsd": 0.5}, changed_share=0.09)
ORACLE = Scores("wiener_oracle", "oracle", {"snr_db": 20.0, "lsd": 0.1})
NET = Scores("unet", "learned", {"snr_db": 7.0, "lsd": 1.5})
ROWS = [INPUT, ORACLE, USELESS, SINC, IDLE, FILL, NET]


def test_better_follows_the_direction_of_the_metric() -> None:
    assert is_better("snr_db", 2.0, 1.0)
    assert is_better("lsd", 1.0, 2.0)
    assert not is_better("lsd", 1.0, 1.0)


def test_controls_are_the_input_and_blind_methods_that_do_something() -> None:
    assert [row.name for row in ROWS if is_control(row)] == ["corrupted", "wiener", "sinc", "noise_fill"]


@pytest.mark.parametrize(("metric", "best"), [("snr_db", SINC), ("lsd", FILL)])
def test_every_metric_has_its_own_best_control(metric: str, best: Scores) -> None:
    assert best_control(ROWS, metric) is best


def test_control_that_a_table_cannot_tell_from_the_input_does_not_replace_it() -> None:
    near = Scores("sinc", "classical", {"snr_db": 5.004, "lsd": 1.99})
    assert not beats_controls(near, [INPUT], "snr_db")
    assert best_control([INPUT, near], "snr_db") is INPUT
    assert best_control([INPUT, near], "lsd") is near


def test_control_without_a_value_is_passed_over() -> None:
    silent = Scores("sinc", "classical", {"snr_db": math.nan})
    assert best_control([silent, INPUT], "snr_db") is INPUT
    assert best_control([silent], "snr_db") is None
    assert best_control([INPUT], "stoi") is None


def test_rows_that_are_the_best_control_somewhere_are_kept_and_the_others_named_with_their_reason() -> None:
    shown, left_out = choose_rows(ROWS)
    assert shown == [INPUT, ORACLE, SINC, FILL, NET]
    assert left_out == [
        LeftOut("wiener", "no column's best control"),
        LeftOut("cubic_spline", "less than 10% of the pairs changed"),
    ]


def test_row_asked_for_by_name_is_shown() -> None:
    assert choose_rows(ROWS, named=["cubic_spline"])[0] == [INPUT, ORACLE, SINC, IDLE, FILL, NET]


def test_method_wins_where_it_beats_every_control_but_itself() -> None:
    assert beats_controls(NET, ROWS, "snr_db")
    assert not beats_controls(NET, ROWS, "lsd")
    assert beats_controls(SINC, ROWS, "snr_db")
    assert not beats_controls(Scores("unet", "learned", {"snr_db": 6.0}), ROWS, "snr_db")
    assert not beats_controls(NET, [NET], "snr_db")
    assert not beats_controls(Scores("unet", "learned", {}), ROWS, "snr_db")


def test_metrics_that_a_control_wins_are_named_by_it() -> None:
    assert won_by_controls(NET, ROWS, ["snr_db", "lsd", "stoi"]) == {"noise_fill": ["lsd"]}
    assert won_by_controls(INPUT, ROWS, ["snr_db"]) == {"sinc": ["snr_db"]}


@pytest.mark.parametrize(("moved", "share"), [(0.009, 0.0), (0.011, 1.0), (-0.5, 1.0), (math.nan, 0.0)])
def test_pair_is_changed_when_a_metric_moves_as_far_as_a_table_shows(moved: float, share: float) -> None:
    row = {"index": 7, "lsd": 2.0, "corrupted_lsd": 2.0, "snr_db": 5.0 + moved, "corrupted_snr_db": 5.0}
    assert changed_share([row]) == share
