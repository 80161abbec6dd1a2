"""The best is marked, what is below the input is marked, and chance is not read as a win."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweeps.report.leaderboard import BELOW, CONTROL, MAYBE_BELOW, TIED, Leaderboard, build_leaderboard
from sweeps.report.methods import Method, build_methods
from sweeps.report.runs import read_run

RECORDINGS = [str(n // 2) for n in range(24)]
NOISE = np.random.default_rng(3).normal(size=24)


def row(name: str, values: Any, kind: str = "learned", metric: str = "si_sdr_db") -> Method:
    values = np.broadcast_to(values, 24).astype(float)
    return Method(name, name, kind, (), {metric: values.mean()}, {metric: math.nan}, {metric: values[None]})


def board(*methods: Method, main: str = "si_sdr_db", recordings: Sequence[str] = RECORDINGS) -> Leaderboard:
    return build_leaderboard(methods, recordings, main, np.random.default_rng(0))


def marks(table: Leaderboard, name: str, metric: str = "si_sdr_db") -> tuple[bool, str]:
    cell = table.cells[name][metric]
    return cell.best, cell.marks


def test_rows_are_ranked_behind_the_input() -> None:
    table = board(row("low", 6), row("corrupted", 5, "corrupted"), row("high", 8))
    assert [method.id for method in table.methods] == ["corrupted", "high", "low"]
    assert marks(table, "high") == (True, "")
    assert marks(table, "low") == (False, "")


def test_established_loss_against_the_input_is_marked_and_a_possible_one_otherwise() -> None:
    table = board(row("corrupted", 5, "corrupted"), row("worse", 4 + 0.1 * NOISE), row("unclear", 4.99 + NOISE - NOISE.mean()))
    assert marks(table, "worse")[1] == BELOW
    assert MAYBE_BELOW in marks(table, "unclear")[1]


def test_lower_is_better_turns_every_mark_around() -> None:
    table = board(row("corrupted", 2, "corrupted", "lsd"), row("good", 1, metric="lsd"), row("bad", 3, metric="lsd"), main="lsd")
    assert marks(table, "good", "lsd") == (True, "")
    assert marks(table, "bad", "lsd") == (False, BELOW)
    assert [method.id for method in table.methods] == ["corrupted", "good", "bad"]


def test_difference_within_chance_is_a_tie() -> None:
    table = board(row("corrupted", 5, "corrupted"), row("first", 8), row("second", 7.99 + NOISE - NOISE.mean()))
    assert marks(table, "second") == (False, TIED)
    interval = table.cells["second"]["si_sdr_db"].to_best
    assert interval is not None and interval.low < 0 < interval.high
    assert interval.mean == pytest.approx(-0.01)


def test_lead_that_another_seed_may_turn_around_is_a_tie(make_run: Callable[..., Path]) -> None:
    runs = [
        make_run(f"{lr}-{seed}", [lr + value] * 6, seed=seed, lr=lr) for lr in (7, 7.2) for seed, value in enumerate((0, 1, 2))
    ]
    methods, _ = build_methods([read_run(folder, folder.name) for folder in runs])
    table = board(*methods, recordings=["0", "0", "1", "1", "2", "2"])
    best, second = table.methods[1], next(method for method in table.methods if method.label.endswith("lr=7"))
    assert best.label.endswith("lr=7.2")
    assert marks(table, second.id) == (False, TIED), "on every pair 0.2 dB worse, but by less than between seeds"


def test_oracle_is_never_the_best() -> None:
    table = board(row("corrupted", 5, "corrupted"), row("oracle", 20, "oracle"), row("method", 6))
    assert marks(table, "method") == (True, "")
    assert marks(table, "oracle") == (False, "")


def test_control_that_is_the_best_is_marked_as_such_and_nothing_is_bold() -> None:
    table = board(row("corrupted", 5, "corrupted"), row("wiener", 7, "classical"), row("method", 6))
    assert [marks(table, name) for name in ("wiener", "method", "corrupted")] == [(False, CONTROL), (False, ""), (False, "")]
    assert marks(board(row("corrupted", 5, "corrupted"), row("method", 4)), "corrupted") == (False, CONTROL)


def test_every_column_has_its_own_best_control() -> None:
    def two(name: str, kind: str, si_sdr_db: float, lsd: float) -> Method:
        means = {"si_sdr_db": si_sdr_db, "lsd": lsd}
        return Method(name, name, kind, (), means, {}, {key: np.full((1, 24), value) for key, value in means.items()})

    sinc, fill = two("sinc", "classical", 6.0, 3.0), two("noise_fill", "classical", 4.0, 1.29)
    table = board(two("corrupted", "corrupted", 5.0, 2.0), sinc, fill, two("unet", "learned", 7.0, 1.63))
    assert (marks(table, "unet"), marks(table, "unet", "lsd")) == ((True, ""), (False, ""))
    assert (marks(table, "sinc"), marks(table, "noise_fill", "lsd")) == ((False, CONTROL), (False, CONTROL))
    assert table.controls == "sinc in scale-invariant signal-to-distortion ratio (dB); noise_fill in log-spectral distance"


def test_row_without_pairs_is_marked_at_its_mean() -> None:
    bare = Method("wiener", "wiener", "classical", (), {"si_sdr_db": 4.0}, {}, {})
    table = board(row("corrupted", 5, "corrupted"), bare)
    assert marks(table, "wiener") == (False, BELOW)
    assert table.cells["wiener"]["si_sdr_db"].to_input is None


def test_value_that_does_not_exist_wins_nothing() -> None:
    table = board(row("corrupted", math.nan, "corrupted", "pesq_wb"), row("a", math.nan, metric="pesq_wb"), main="pesq_wb")
    assert not any(cells["pesq_wb"].best or cells["pesq_wb"].marks for cells in table.cells.values())
