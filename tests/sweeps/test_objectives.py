"""What a sweeper sees of a job."""

import json
from pathlib import Path

import pytest

from sweeps.objectives import as_sweeper_objective, directions, read_objectives


def test_values_are_those_of_validation(tmp_path: Path) -> None:
    result = {"objective": 5.0, "metrics": {"test/lsd": 9.0}, "validation": {"val/lsd": 1.5, "val/snr_db": 12.0}}
    (tmp_path / "result.json").write_text(json.dumps(result), encoding="utf-8")
    assert read_objectives(tmp_path, ["val/snr_db", "val/lsd"]) == {"val/snr_db": 12.0, "val/lsd": 1.5}
    assert read_objectives(tmp_path, ["test/lsd"]) == {"test/lsd": None}
    assert read_objectives(tmp_path / "nowhere", ["val/lsd"]) == {"val/lsd": None}


def test_one_is_a_number_several_are_a_list_and_a_missing_one_is_none() -> None:
    assert as_sweeper_objective({"a": 1.0}) == 1.0
    assert as_sweeper_objective({"a": 1.0, "b": 2.0}) == [1.0, 2.0]
    assert as_sweeper_objective({"a": 1.0, "b": None}) is None
    assert as_sweeper_objective({"a": float("nan")}) is None
    assert as_sweeper_objective({}) is None


def test_direction_is_that_of_the_metric() -> None:
    assert directions(["val/si_sdr_db", "val/lsd"]) == ["maximize", "minimize"]


@pytest.mark.parametrize("names", [[], ["test/lsd"], ["val/lsd", "val/pesq_wb"]])
def test_test_split_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match="must be computed in validation; known: val/snr_db"):
        directions(names)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"validation": null}', '{"validation": {"val/lsd": "low"}}', '{"validation": []}']
)
def test_damaged_result_has_no_objective(tmp_path: Path, content: str) -> None:
    (tmp_path / "result.json").write_text(content, encoding="utf-8")
    assert read_objectives(tmp_path, ["val/lsd"]) == {"val/lsd": None}
