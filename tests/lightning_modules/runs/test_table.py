"""The table on the screen and its verdict never flatter."""

import io

import pytest
from rich.console import Console

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.evaluation import Scores
from lightning_modules.runs.table import render_table, show, verdict

SHOWN = [name for name, info in METRICS.items() if not info.on_demand]
CORRUPTED = Scores("corrupted", "corrupted", {"snr_db": 5.0, "lsd": 2.0})
WIENER = Scores("wiener", "classical", {"snr_db": 9.0, "lsd": 3.0})


def learned(snr_db: float, lsd: float) -> Scores:
    return Scores("unet", "learned", {"snr_db": snr_db, "lsd": lsd})


def test_verdict_needs_the_input_and_the_classical_method_beaten() -> None:
    assert verdict([CORRUPTED, WIENER, learned(10.0, 1.0)], "snr_db") == "✓ unet beats corrupted and wiener in snr_db"
    assert verdict([CORRUPTED, WIENER, learned(8.0, 1.0)], "snr_db").startswith("✗ unet does not beat wiener in snr_db")
    assert verdict([CORRUPTED, WIENER, learned(4.0, 1.0)], "snr_db").startswith("✗ unet does not beat corrupted and wiener")


def test_verdict_turns_round_where_lower_is_better() -> None:
    assert verdict([CORRUPTED, WIENER, learned(9.5, 1.9)], "lsd").startswith("✓")
    assert verdict([CORRUPTED, WIENER, learned(9.5, 2.5)], "lsd").startswith("✗ unet does not beat corrupted in lsd")


def test_equal_is_not_beaten() -> None:
    assert verdict([CORRUPTED, learned(5.0, 2.0)], "snr_db").startswith("✗")


def cells(table: list[Scores], metric: str = "snr_db") -> dict[str, list[str]]:
    """Return the cells of a table, whose verdict is about a metric, by the name of their column."""
    return {str(column.header): [cell.strip() for cell in column.cells] for column in render_table(table, metric).columns}


def test_best_control_and_values_below_the_input_are_marked_in_every_line() -> None:
    assert cells([CORRUPTED, WIENER, learned(4.0, 1.0)]) == {
        "metric": ["snr_db ↑", "lsd ↓"],
        "corrupted": ["5.00", "2.00 •"],
        "wiener": ["9.00 •", "3.00 ▼"],
        "unet": ["4.00 ▼", "[bold]1.00 ✓[/bold]"],
    }


def test_value_below_the_best_control_of_its_line_is_not_bold_although_it_beats_the_one_that_is_best_elsewhere() -> None:
    fill = Scores("noise_fill", "classical", {"snr_db": 5.1, "lsd": 1.29})
    shown = cells([CORRUPTED, WIENER, fill, learned(10.0, 1.63)])
    assert shown["unet"] == ["[bold]10.00 ✓[/bold]", "1.63"]
    assert shown["noise_fill"] == ["5.10", "1.29 •"]
    assert shown["wiener"] == ["9.00 •", "3.00 ▼"]


def test_rows_that_are_no_use_are_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    idle = Scores("sinc", "classical", {"snr_db": 50.0, "lsd": 0.1}, changed_share=0.05)
    worse = Scores("cubic_spline", "classical", {"snr_db": 4.0, "lsd": 2.5})
    show([CORRUPTED, WIENER, idle, worse, learned(10.0, 1.0)], "snr_db")
    said = capsys.readouterr().out
    assert "left out: sinc (less than 10% of the pairs changed); cubic_spline (no column's best control)" in said
    assert "✓ unet beats corrupted and wiener in snr_db" in said
    assert "50.00" not in said and "4.00" not in said


def test_method_that_is_asked_for_is_shown_although_it_does_nothing() -> None:
    idle = Scores("sinc", "classical", {"snr_db": 5.0, "lsd": 2.0}, changed_share=0.0)
    assert cells([CORRUPTED, WIENER, idle])["sinc"] == ["5.00", "2.00"]


def test_failed_baseline_is_a_column_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    table = [CORRUPTED, Scores("wiener", "classical", {}, failure="[no] matrix"), learned(10.0, 1.0)]
    show(table, "snr_db")
    assert cells(table)["wiener"] == ["none", "none"]
    assert "wiener has no scores: [no] matrix" in capsys.readouterr().out
    assert verdict(table, "snr_db") == "✓ unet beats corrupted in snr_db"


def test_metrics_on_demand_stand_neither_in_the_table_nor_in_the_verdict() -> None:
    source = Scores("corrupted", "corrupted", {"snr_db": 5.0, "wss": 2.0})
    table = [source, Scores("unet", "learned", {"snr_db": 6.0, "wss": 3.0})]
    assert cells(table)["metric"] == ["snr_db ↑"]
    assert verdict(table, "snr_db") == "✓ unet beats corrupted in snr_db"


def test_metric_on_demand_stands_in_the_table_of_a_verdict_about_it_with_its_own_decimals() -> None:
    source = Scores("corrupted", "corrupted", {"snr_db": 5.0, "mse": 0.00412})
    table = [source, Scores("unet", "learned", {"snr_db": 6.0, "mse": 0.00409})]
    assert cells(table, "mse")["metric"] == ["snr_db ↑", "mse ↓"]
    assert cells(table, "mse")["unet"] == ["[bold]6.00 ✓[/bold]", "[bold]0.00409 ✓[/bold]"]
    assert verdict(table, "mse") == "✓ unet beats corrupted in mse"


def test_verdict_names_the_columns_in_which_a_control_is_unbeaten() -> None:
    told = verdict([CORRUPTED, WIENER, learned(10.0, 2.5)], "snr_db")
    assert told == "✓ unet beats corrupted and wiener in snr_db (unbeaten: corrupted in lsd)"


def test_table_of_all_metrics_and_methods_is_whole_on_80_columns() -> None:
    means = dict.fromkeys(METRICS, 12.345)
    names = ("corrupted", "wiener", "sinc", "cubic_spline", "noise_fill", "unet_small")
    text = io.StringIO()
    Console(file=text, width=80).print(render_table([Scores(name, "learned", means) for name in names], "snr_db"))
    for word in (*names, *SHOWN):
        assert word in text.getvalue()
    assert text.getvalue().count("12.3") == len(names) * len(SHOWN)


def test_method_of_a_long_name_is_told_from_itself_after_other_steps_on_80_columns() -> None:
    run = "collaborative_gan_small-super_resolution-20260101-101500"
    names, means = ("corrupted", "noise_fill", f"{run}@0", f"{run}@12", run), dict.fromkeys(METRICS, 12.345)
    text = io.StringIO()
    Console(file=text, width=80).print(render_table([Scores(name, "learned", means) for name in names], "snr_db"))
    assert "…" not in text.getvalue()
    assert "@12" in "".join(text.getvalue().split())
    assert text.getvalue().count("12.3") == len(names) * len(SHOWN)


def test_oracle_is_a_bound_and_not_a_rival() -> None:
    oracle = Scores("wiener_oracle", "oracle", {"snr_db": 20.0, "lsd": 0.5})
    assert verdict([CORRUPTED, oracle, learned(9.5, 1.0)], "snr_db") == "✓ unet beats corrupted in snr_db"


def test_method_after_other_numbers_of_steps_is_no_rival() -> None:
    stopped = Scores("unet@4", "learned", {"snr_db": 11.0, "lsd": 0.5})
    assert verdict([CORRUPTED, WIENER, stopped, learned(10.0, 1.0)], "snr_db") == "✓ unet beats corrupted and wiener in snr_db"
