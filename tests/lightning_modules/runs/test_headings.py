"""Headings of narrow columns break behind underscores, not within words."""

import io

import pytest
from rich.console import Console
from rich.table import Table

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.evaluation import Scores
from lightning_modules.runs.headings import Heading
from lightning_modules.runs.table import render_table


@pytest.mark.parametrize(
    ("name", "width", "lines"),
    [
        ("overdrive_inverse_oracle", 24, ["overdrive_inverse_oracle"]),
        ("overdrive_inverse_oracle", 23, ["overdrive_inverse_", "oracle"]),
        ("overdrive_inverse_oracle", 10, ["overdrive_", "inverse_", "oracle"]),
        ("overdrive_inverse_oracle", 4, ["overdrive_", "inverse_", "oracle"]),
        ("unet [4] of_it", 8, ["unet [4] ", "of_it"]),
        ("", 5, [""]),
    ],
)
def test_lines_end_behind_words(name: str, width: int, lines: list[str]) -> None:
    assert Heading(name).lines(width) == lines


def test_heading_is_told_as_it_is_written_with_brackets_and_all() -> None:
    view, text = Table(box=None), io.StringIO()
    view.add_column(Heading("a_[bold]_b"))
    Console(file=text, width=40).print(view)
    assert "a_[bold]_b" in text.getvalue()


def test_names_of_many_methods_are_broken_behind_words_on_80_columns() -> None:
    names = ("corrupted", "overdrive_inverse", "overdrive_inverse_oracle", "overdrive_static", "overdrive_static_oracle", "unet")
    text, means = io.StringIO(), dict.fromkeys(METRICS, 12.345)
    Console(file=text, width=80).print(render_table([Scores(name, "learned", means) for name in names], "snr_db"))
    heading = text.getvalue().partition("snr_db")[0]
    assert {*heading.split()} == {
        "metric",
        "corrupted",
        "overdrive_",
        "inverse",
        "inverse_",
        "oracle",
        "static",
        "static_",
        "unet",
    }
