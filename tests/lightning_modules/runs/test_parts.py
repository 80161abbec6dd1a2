"""Work in parts: what is on disk is whole after every part, and a part that fails takes none with it."""

import json
from pathlib import Path
from typing import Any

import pytest

from lightning_modules.runs.parts import KeptResult


def fail() -> None:
    raise RuntimeError("two\nlines")


def stored(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_result_is_on_disk_before_any_part_and_grows(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    kept = KeptResult(path, {"a": 1}, lambda: False)
    assert stored(path) == {"a": 1, "problems": []}
    kept.keep(b=2)
    assert stored(path) == {"a": 1, "problems": [], "b": 2}


def test_part_that_fails_is_told_in_a_line_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = KeptResult(tmp_path / "result.json", {}, lambda: False)
    assert kept.part("pictures", fail) is None
    assert kept.part("sum", sum, (1, 2)) == 3
    assert stored(tmp_path / "result.json")["problems"] == ["pictures: RuntimeError: two lines"]
    assert capsys.readouterr().err == "error: pictures failed, and the rest goes on: RuntimeError: two lines\n"


def test_parts_are_left_out_once_the_work_is_to_stop_but_for_those_that_always_are_done(tmp_path: Path) -> None:
    kept = KeptResult(tmp_path / "result.json", {}, lambda: True)
    assert kept.part("sum", sum, (1, 2)) is None
    assert kept.always("sum", sum, (1, 2)) == 3
    kept.keep()
    assert stored(tmp_path / "result.json")["problems"] == ["sum: left out, as the run was asked to end"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt, SystemExit])
def test_end_of_the_process_is_not_held_up(tmp_path: Path, ending: type[BaseException]) -> None:
    def end() -> None:
        raise ending

    kept = KeptResult(tmp_path / "result.json", {"a": 1}, lambda: False)
    with pytest.raises(ending):
        kept.part("long", end)
    assert stored(tmp_path / "result.json")["a"] == 1


def test_file_that_cannot_be_written_is_told_once_and_the_parts_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = KeptResult(tmp_path / "missing" / "result.json", {}, lambda: False)
    kept.keep(a=1)
    assert kept.part("sum", sum, (1, 2)) == 3
    assert len(kept.problems) == 1
    assert capsys.readouterr().err.count("result.json failed") == 1
