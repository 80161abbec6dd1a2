"""The tables in Markdown, CSV and plain text say what the leaderboard found."""

import csv
import io
import math
import re

import numpy as np
import pytest

from sweeps.report.leaderboard import Leaderboard, build_leaderboard
from sweeps.report.methods import Method
from sweeps.report.tables import cell_text, escaped, number, ranking, to_csv, to_markdown


@pytest.fixture
def table() -> Leaderboard:
    def row(name: str, kind: str, value: float, deviation: float = math.nan) -> Method:
        return Method(
            name, f"{name} | x", kind, (), {"si_sdr_db": value}, {"si_sdr_db": deviation}, {"si_sdr_db": np.full((1, 4), value)}
        )

    rows = [row("corrupted", "corrupted", 5), row("good", "learned", 8.123, 0.25), row("bad", "learned", 4)]
    return build_leaderboard(rows, ["a", "b", "c", "d"], "si_sdr_db", np.random.default_rng(0))


def test_markdown_marks_the_best_and_what_is_below_the_input(table: Leaderboard) -> None:
    lines = to_markdown(table, {"MUSHRA (scores)": {"good": "80.0 ±4.0 (9)"}}).splitlines()
    assert lines[0] == "| method | seeds | scale-invariant signal-to-distortion ratio (dB) ↑ | MUSHRA (scores) |"
    assert lines[2] == r"| corrupted \| x |  | 5.00 • |  |"
    assert lines[3] == r"| good \| x |  | **8.12** ±0.250 | 80.0 ±4.0 (9) |"
    assert lines[4] == r"| bad \| x |  | 4.00 ▼ |  |"
    assert r"| good \| x | +3.12 [+3.12, +3.12] |" in lines


def test_csv_holds_every_number_in_full(table: Leaderboard) -> None:
    rows = {row["method"]: row for row in csv.DictReader(io.StringIO(to_csv(table)))}
    good, bad = rows["good | x"], rows["bad | x"]
    assert (good["si_sdr_db"], good["si_sdr_db_deviation"], good["si_sdr_db_marks"]) == ("8.123", "0.25", "best")
    assert (bad["si_sdr_db_to_input_low"], bad["si_sdr_db_to_best_mean"], bad["si_sdr_db_marks"]) == (
        "-1",
        "-4.123",
        "below input",
    )
    assert rows["corrupted | x"]["si_sdr_db_to_input_mean"] == ""
    assert rows["corrupted | x"]["si_sdr_db_marks"] == "best control"


def test_ranking_for_the_terminal_is_aligned(table: Leaderboard) -> None:
    assert ranking(table).splitlines()[1:3] == [
        "corrupted | x  5.00 •",
        "good | x       8.12 ±0.250  to input +3.12 [+3.12, +3.12]",
    ]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", " ="])
def test_cell_of_csv_is_no_formula_and_numbers_stay_numbers(sign: str) -> None:
    cell = cell_text(f"{sign}cmd|' /C calc'!A0")
    assert cell.startswith("'") and "\r" not in cell and "\t" not in cell
    assert cell_text("unet lr=-1") == "unet lr=-1"


@pytest.mark.parametrize(
    "name", ["](http://x)", "`code`", "a|b", "<img src=x>", "**b**", "# x", "[link](y)", "a\nb", "~~x~~", "a_b _c_"]
)
def test_name_in_markdown_is_shown_as_it_is(name: str) -> None:
    text = escaped(name)
    assert "\n" not in text
    bare = re.sub(r"\\\\|\\[`*\[\]|~_#]", "", text)
    assert not re.search(r"[`*\[\]|<~]|^#| _|_ |_$", bare)


@pytest.mark.parametrize(
    ("value", "name", "text"),
    [
        (math.nan, "", ""),
        (0.5772, "stoi", "0.577"),
        (-9.123, "", "-9.12"),
        (4321.6, "training_seconds", "4322"),
        (1549648, "params", "1,549,648"),
    ],
)
def test_numbers_have_the_digits_that_matter(value: float, name: str, text: str) -> None:
    assert number(value, name) == text
