"""Run folders are found and read, and what cannot be read is named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.records import Job
from sweeps.report.runs import ReportError, find_runs, short_names


def test_runs_are_found_at_any_depth_and_once(make_run: Callable[..., Path], tmp_path: Path) -> None:
    first, _ = make_run("a"), make_run("sweep/0")
    runs, skipped = find_runs([tmp_path / "runs", first])
    assert [run.name for run in runs] == ["a", "sweep/0"]
    assert skipped == []
    assert runs[0].pairs.files == ("0.flac", "0.flac", "1.flac", "1.flac", "2.flac", "2.flac")
    assert runs[0].pairs.corrupted["si_sdr_db"].tolist() == [5.0, 5.2, 4.8, 5.1, 4.9, 5.0]
    assert (runs[0].method, runs[0].kind, runs[0].model) == ("unet", "learned", "unet")


def test_names_are_told_apart_by_their_parents() -> None:
    assert list(short_names([Path("/x/a/run"), Path("/x/b/run"), Path("/x/c")]).values()) == ["a/run", "b/run", "c"]


def test_unfinished_and_broken_runs_are_named(make_run: Callable[..., Path], tmp_path: Path) -> None:
    make_run("good")
    unfinished, broken, old = tmp_path / "runs" / "late", make_run("broken"), make_run("old")
    unfinished.mkdir()
    (unfinished / "run.json").write_text("{}", encoding="utf-8")
    (broken / "per_example.csv").unlink()
    (old / "result.json").write_text(json.dumps({"metrics": {}}), encoding="utf-8")
    runs, skipped = find_runs([tmp_path / "runs"])
    assert [run.name for run in runs] == ["good"]
    assert any(text.startswith("late has no result.json") for text in skipped)
    assert any(text.startswith("broken cannot be read: FileNotFoundError") for text in skipped)
    assert any(text.startswith("old/result.json has no methods, manifest_hash") for text in skipped)


def test_failed_job_of_a_sweep_is_named_with_its_last_words(make_run: Callable[..., Path], tmp_path: Path) -> None:
    make_run("sweep/0")
    failed = tmp_path / "runs" / "sweep" / "1"
    failed.mkdir()
    Job("i", [], [], status="failed", exit_code=137, last_lines=["epoch 3", f"out of memory in {failed}/x", ""]).write(failed)
    runs, skipped = find_runs([tmp_path / "runs"])
    assert len(runs) == 1
    assert skipped == ["sweep/1 failed with exit code 137: killed, as for want of memory, after: out of memory in sweep/1/x"]


def test_path_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="nowhere: no such folder"):
        find_runs([tmp_path / "nowhere"])


def test_evaluated_checkpoint_takes_settings_and_seed_of_its_training(make_run: Callable[..., Path], tmp_path: Path) -> None:
    trained = make_run("trained", seed=7, lr=0.5)
    make_run("evaluated", seed=0, config={"checkpoint": str(trained), "choices": {"model": None}})
    runs, _ = find_runs([tmp_path / "runs" / "evaluated"])
    assert (runs[0].seed, runs[0].model, runs[0].trained["model"]["optimizer"]["lr"]) == (7, "unet", 0.5)
    make_run("orphan", seed=3, config={"checkpoint": str(tmp_path / "gone.ckpt"), "choices": {"model": None}})
    runs, _ = find_runs([tmp_path / "runs" / "orphan"])
    assert (runs[0].seed, runs[0].model) == (3, "unet")
