"""Who is stopped early: the worse half, not before its time, and never without company."""

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from sweeps.pruning import MedianRule, epoch_values


def job(sweep: Path, name: str, values: Sequence[float]) -> Path:
    folder = sweep / name
    folder.mkdir()
    lines = [json.dumps({"epoch": epoch, "val/x": value}) for epoch, value in enumerate(values)]
    (folder / "epochs.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    for name, values in {"0": [1, 2, 9], "1": [2, 3, 9], "2": [3, 4, 9]}.items():
        job(tmp_path, name, values)
    return tmp_path


@pytest.mark.parametrize(("values", "should_prune"), [([0, 2.9], True), ([0, 3], False), ([2.9, 0], True), ([3.1, 0], False)])
def test_best_so_far_is_compared_with_the_median_at_the_same_epoch(sweep: Path, values: list[float], should_prune: bool) -> None:
    rule = MedianRule(sweep, "val/x", maximize=True, after_epochs=2, epochs=3)
    assert rule.should_prune(job(sweep, "3", values)) is should_prune


def test_smaller_can_be_better(sweep: Path) -> None:
    rule = MedianRule(sweep, "val/x", maximize=False, after_epochs=1, epochs=3)
    assert rule.should_prune(job(sweep, "3", [2.1]))
    assert not rule.should_prune(job(sweep, "4", [2.0]))


@pytest.mark.parametrize(("values", "after_epochs"), [([], 0), ([0], 2), ([0, 0, 0], 1)])
def test_first_epochs_are_granted_and_a_whole_run_is_kept(sweep: Path, values: list[float], after_epochs: int) -> None:
    rule = MedianRule(sweep, "val/x", maximize=True, after_epochs=after_epochs, epochs=3)
    assert not rule.should_prune(job(sweep, "3", values))


def test_two_others_are_too_few(tmp_path: Path) -> None:
    for name in ("0", "1"):
        job(tmp_path, name, [5])
    assert not MedianRule(tmp_path, "val/x", maximize=True, after_epochs=1, epochs=None).should_prune(job(tmp_path, "2", [0]))


def test_repeated_epoch_counts_once_and_half_a_line_not_at_all(tmp_path: Path) -> None:
    folder = job(tmp_path, "0", [1, 2])
    with (folder / "epochs.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"epoch": 1, "val/x": 3}\n{"epoch": 2, "va')
    assert epoch_values(folder, "val/x") == [1, 3]


def test_damaged_lines_and_epochs_without_a_value_stop_no_job(sweep: Path) -> None:
    folder = job(sweep, "3", [0])
    with (folder / "epochs.jsonl").open("a", encoding="utf-8") as file:
        file.write('[]\n{"epoch": 1}\n{"epoch"\n{"epoch": 1, "val/x": NaN}\n')
    values = epoch_values(folder, "val/x")
    assert values[0] == 0 and math.isnan(values[1]) and len(values) == 2
    assert MedianRule(sweep, "val/x", maximize=True, after_epochs=2, epochs=3).should_prune(folder)
    for number, content in enumerate((b"", b"\xff\xfe", b"null")):
        (sweep / f"damaged{number}").mkdir()
        (sweep / f"damaged{number}" / "epochs.jsonl").write_bytes(content)
    (sweep / "folder" / "epochs.jsonl").mkdir(parents=True)
    assert MedianRule(sweep, "val/x", maximize=True, after_epochs=2, epochs=3).should_prune(folder)
