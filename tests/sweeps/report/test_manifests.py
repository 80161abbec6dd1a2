"""Runs on different test pairs never share a table, and the difference has a name."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sweeps.report.manifests import choose_group, differences, evaluation_id, group_runs, only_group
from sweeps.report.runs import ReportedRun, ReportError, read_run

Make = Callable[..., Path]


def read(folder: Path) -> ReportedRun:
    return read_run(folder, folder.name)


def other_corruption(**settings: Any) -> dict[str, Any]:
    return {"config": {"corruption": settings}, "result": {"manifest_hash": "beef"}}


def test_same_pairs_are_one_group(make_run: Make) -> None:
    runs = [read(make_run("a")), read(make_run("b", seed=1))]
    groups = group_runs(runs)
    assert groups[only_group(groups)] == runs


def test_mixed_manifests_are_refused_with_the_setting_that_differs(make_run: Make) -> None:
    groups = group_runs([read(make_run("a")), read(make_run("b", seed=1)), read(make_run("c", **other_corruption(snr_db=10)))])
    with pytest.raises(ReportError) as error:
        only_group(groups)
    text = str(error.value)
    assert "2 different sets of pairs" in text
    assert "2 runs (a, b): noise on folder, 6 pairs" in text
    assert "corruption.snr_db: 10, not 5" in text
    assert f"--manifest {next(iter(groups))}" in text
    assert "--separately" in text


def test_same_manifest_tested_in_part_is_another_set(make_run: Make) -> None:
    whole, part = read(make_run("whole")), read(make_run("part", si_sdr_db=(7.0, 7.0), input_db=(5.0, 5.0)))
    assert evaluation_id(whole) != evaluation_id(part)
    assert differences(whole, part) == ["number of pairs: 2, not 6"]


def test_pairs_that_moved_or_changed_are_counted(make_run: Make) -> None:
    one, two, three = (make_run(name, result={"manifest_hash": name}) for name in "abc")
    text = (two / "per_example.csv").read_text(encoding="utf-8")
    (two / "per_example.csv").write_text(text.replace("2.flac", "9.flac"), encoding="utf-8")
    (three / "per_example.csv").write_text(text.replace("c0ffee", "badcafe", 1), encoding="utf-8")
    assert differences(read(one), read(two)) == ["recording of 2 of 6 pairs"]
    assert differences(read(one), read(three)) == ["audio of 1 of 6 pairs"]


def test_invisible_difference_is_said_to_be_one(make_run: Make) -> None:
    found = differences(read(make_run("a")), read(make_run("b", result={"manifest_hash": "beef"})))
    assert found[0].startswith("what the settings do not show")


def test_another_corruption_goes_before_its_settings(make_run: Make) -> None:
    config = {"choices": {"model": "unet", "data": "folder", "corruption": "clipping"}, "corruption": {"depth_db": 3}}
    other = make_run("b", config=config, result={"manifest_hash": "beef"})
    assert differences(read(make_run("a")), read(other)) == ["corruption: clipping, not noise"]


def test_group_is_chosen_by_the_start_of_its_name(make_run: Make) -> None:
    groups = group_runs([read(make_run("a")), read(make_run("b", **other_corruption(snr_db=10)))])
    name = list(groups)[1]
    assert choose_group(groups, name[:6]) == name
    with pytest.raises(ReportError, match="--manifest zz names 0 of the sets"):
        choose_group(groups, "zz")


def test_training_settings_do_not_count(make_run: Make) -> None:
    one = read(make_run("a", config={"data": {"batch_size": 1, "max_recordings": {"train": 3, "test": None}}}))
    two = read(make_run("b", config={"data": {"batch_size": 2, "max_recordings": {"train": 4, "test": 2}}}))
    assert json.dumps(differences(one, two)) == '["data.max_recordings.test: 2, not None"]'
