"""The account of a sweep: which jobs count, and when it is a failure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import DictConfig, OmegaConf

from sweeps.callback import SweepCallback
from sweeps.records import Job

HOLD = """
import sys
from pathlib import Path
from lightning_modules.runs.folder import FolderLock
lock = FolderLock(Path(sys.argv[1]), "job.lock")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def config(tmp_path: Path) -> DictConfig:
    basic = {"_target_": "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"}
    hydra = {"runtime": {"cwd": str(tmp_path)}, "sweep": {"dir": "sweep"}, "sweeper": basic, "overrides": {"hydra": []}}
    return OmegaConf.create({"hydra": hydra})


def job(folder: Path, status: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    code = 0 if status == "finished" else 1
    Job("i", [f"a={folder.name}", "b=2"], ["c"], status=status, exit_code=code, last_lines=["ValueError: x"]).write(folder)


def test_sweep_with_results_ends_well(config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "finished")
    job(tmp_path / "sweep" / "1", "pruned")
    callback.on_multirun_end(config)
    assert capsys.readouterr() == (f"2 jobs, 2 with a result; sweep folder: {tmp_path / 'sweep'}\n", "")
    assert set(json.loads((tmp_path / "sweep" / "sweep.json").read_text(encoding="utf-8"))["jobs"]) == {"0", "1"}


def test_jobs_that_are_only_tried_are_told_as_such(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "tried")
    callback.on_multirun_end(config)
    assert capsys.readouterr() == (f"1 jobs, 0 with a result, 1 only tried; sweep folder: {tmp_path / 'sweep'}\n", "")


def test_search_by_trials_is_refused_in_a_sentence(config: DictConfig) -> None:
    config.hydra.sweeper.direction = "maximize"
    config.trainer = {"fast_dev_run": 2}
    with pytest.raises(SystemExit, match="^error: trainer.fast_dev_run keeps no result"):
        SweepCallback().on_multirun_start(config)


def test_missing_result_is_named_and_the_exit_code_1(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "failed")
    with pytest.raises(SystemExit, match="1"):
        callback.on_multirun_end(config)
    assert capsys.readouterr().err.startswith("error: job 0: failed with exit code 1: ValueError: x")


def test_job_whose_end_failed_has_its_result_and_makes_the_exit_code_1(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    folder = tmp_path / "sweep" / "0"
    folder.mkdir(parents=True)
    Job("i", ["a=0"], ["c"], status="finished", exit_code=1, last_lines=["error: baseline wiener failed"]).write(folder)
    with pytest.raises(SystemExit) as ended:
        callback.on_multirun_end(config)
    assert ended.value.code == 1
    out, err = capsys.readouterr()
    assert out.startswith("1 jobs, 1 with a result")
    assert err == f"error: job 0 has a result, but its end failed: baseline wiener failed (see {folder / 'output.log'})\n"


def test_failed_job_is_named_by_its_value(config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    for name, status in (("0", "finished"), ("1", "failed")):
        job(tmp_path / "sweep" / name, status)
    with pytest.raises(SystemExit, match="1"):
        callback.on_multirun_end(config)
    assert capsys.readouterr().err.startswith("error: job 1 (a=1): failed with exit code 1: ValueError: x")


def test_failure_of_an_earlier_sweep_in_the_folder_does_not_count(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job(tmp_path / "sweep" / "0", "failed")
    card = tmp_path / "sweep" / "0" / "job.json"
    os.utime(card, (card.stat().st_atime, card.stat().st_mtime - 10))
    callback = SweepCallback()
    callback.on_multirun_start(config)
    callback.on_multirun_end(config)
    assert capsys.readouterr() == (f"0 jobs, 0 with a result; sweep folder: {tmp_path / 'sweep'}\n", "")


def test_job_that_another_sweep_is_at_work_on_does_not_count(config: DictConfig, tmp_path: Path) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "finished")
    Job("i", [], []).write(tmp_path / "sweep" / "0")
    command = [sys.executable, "-c", HOLD, str(tmp_path / "sweep" / "0")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"\n"
        callback.on_multirun_end(config)
        other.kill()
    with pytest.raises(SystemExit, match="1"):
        callback.on_multirun_end(config)


def test_signal_stays_the_reason_of_the_end(config: DictConfig, tmp_path: Path) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "interrupted")

    def sweep() -> None:
        try:
            raise SystemExit(143)
        finally:
            callback.on_multirun_end(config)

    with pytest.raises(SystemExit, match="143"):
        sweep()


def test_damaged_record_is_named_once_and_stops_no_sweep(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job(tmp_path / "sweep" / "0", "finished")
    (tmp_path / "sweep" / "1").mkdir()
    (tmp_path / "sweep" / "1" / "job.json").write_text('{"identity": "i", "overr', encoding="utf-8")
    callback = SweepCallback()
    callback.on_multirun_start(config)
    callback.on_multirun_end(config)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: left out of the sweep, {tmp_path / 'sweep' / '1' / 'job.json'} is damaged: ")


def test_jobs_left_for_another_time_make_the_exit_code_3(
    config: DictConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = SweepCallback()
    callback.on_multirun_start(config)
    job(tmp_path / "sweep" / "0", "finished")
    job(tmp_path / "sweep" / "1", "left")
    with pytest.raises(SystemExit) as ended:
        callback.on_multirun_end(config)
    assert ended.value.code == 3
    out, err = capsys.readouterr()
    assert out.startswith("2 jobs, 1 with a result; ")
    assert err == "note: job 1 (a=1): left, for the hours of the sweep are spent\nthe same command repeats what is missing\n"
    job(tmp_path / "sweep" / "2", "failed")
    with pytest.raises(SystemExit) as ended:
        callback.on_multirun_end(config)
    assert ended.value.code == 1
