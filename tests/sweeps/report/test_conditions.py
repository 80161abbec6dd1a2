"""The grid of conditions in a report: worst first, bold by the rule of every table, and damage costs the grid alone."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweeps.report.conditions import MARKS, Grid, grids_text, read_grids
from sweeps.report.runs import find_runs

Make = Callable[..., Path]


def condition(label: str, own: float | None, wiener: float = 8.0, seen: bool | None = True) -> dict[str, Any]:
    methods = {"corrupted": {"kind": "corrupted", "si_sdr_db": 5.0}, "wiener": {"kind": "classical", "si_sdr_db": wiener}}
    methods |= {"psm": {"kind": "oracle", "si_sdr_db": 30.0}, "net": {"kind": "learned", "si_sdr_db": own}}
    return {"label": label, "values": {}, "seen": seen, "methods": methods}


def grid_of(folder: Path, content: dict[str, Any] | str) -> tuple[list[Grid], list[str]]:
    text = content if isinstance(content, str) else json.dumps(content)
    (folder / "conditions.json").write_text(text, encoding="utf-8")
    problems: list[str] = []
    return read_grids(find_runs([folder])[0], problems), problems


def content(*conditions: Any) -> dict[str, Any]:
    return {"method": "net", "monitor": "test/si_sdr_db", "conditions": list(conditions), "problems": []}


def test_worst_condition_is_first_and_oracles_are_no_controls(make_run: Make) -> None:
    failed = {"label": "f", "values": {}, "seen": None, "failure": "condition f: no such folder"}
    told = content(
        condition("a", 9.0), condition("b", 4.0, seen=False), failed, condition("c", None, seen=None), condition("d", 8.0)
    )
    (grid,), problems = grid_of(make_run("r"), told)
    assert [(row.label, row.seen, row.control) for row in grid.rows] == [
        ("b", "unseen", "wiener"),
        ("d", "seen", "wiener"),
        ("a", "seen", "wiener"),
        ("c", "–", "wiener"),
    ]
    assert [row.margin for row in grid.rows[:3]] == [-4.0, 0.0, 1.0]
    assert [row.best for row in grid.rows] == [False, False, True, False]
    assert [row.below for row in grid.rows] == [True, False, False, False]
    assert grid.failed == ["condition f: no such folder"] and problems == []
    text = grids_text([grid])
    assert "| b | unseen | 5.00 | wiener | 8.00 | 4.00 ▼ | -4.00 |" in text
    assert "| a | seen | 5.00 | wiener | 8.00 | **9.00** | +1.00 |" in text
    assert set(MARKS.values()) == {"seen", "unseen", "–"}


@pytest.mark.parametrize(
    "damaged",
    [
        "{",
        content() | {"monitor": "test/none"},
        content() | {"conditions": {}},
        content({"label": "a", "seen": "x", "methods": {}}),
        content(condition("a", 1.0)) | {"method": "other"},
        content({"label": "a", "seen": None, "methods": {"net": {"si_sdr_db": "1"}}}),
    ],
)
def test_damaged_conditions_are_named_and_left_out(make_run: Make, damaged: Any) -> None:
    grids, problems = grid_of(make_run("r"), damaged)
    assert grids == []
    assert len(problems) == 1 and problems[0].startswith("r/conditions.json is damaged: ")
