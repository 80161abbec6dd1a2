"""Jobs whose worker was lost are found by those that were asked for the same, and do not cost workers for ever."""

from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict, read_write

from sweeps.attempts import MOST_LOST, START_VARIABLE, begin_attempt, earlier_attempt, start_override, task_of
from sweeps.isolation import run_job
from sweeps.records import read_job


def test_task_is_a_number_of_a_start_of_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    key, _, value = start_override().partition("=")
    assert key == f"+hydra.job.env_set.{START_VARIABLE}"
    assert start_override() != start_override()
    monkeypatch.setenv(START_VARIABLE, value.strip("'"))
    assert task_of(1) == task_of(1) != task_of(2)
    monkeypatch.delenv(START_VARIABLE)
    assert task_of(1) != task_of(1), "jobs of two sweeps are taken for one"


def test_attempt_is_found_by_its_task_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    for name in "01":
        (tmp_path / name).mkdir()
        begin_attempt(tmp_path / name, f"start/{name}", None)
    (tmp_path / "0" / "attempt.json").write_text('{"task": "start/0"', encoding="utf-8")
    found = earlier_attempt(tmp_path, "start/1")
    assert found is not None and (found.folder, found.lost) == (tmp_path / "1", 0)
    assert earlier_attempt(tmp_path, "start/0") is None
    assert earlier_attempt(tmp_path, "other/1") is None


def test_workers_count_that_are_lost_without_a_new_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = begin_attempt(tmp_path, "start/0", None)
    assert capsys.readouterr().out == ""
    second = begin_attempt(tmp_path, "start/0", first)
    told = f"job {tmp_path.name}: its worker ({first.worker}) is gone; {second.worker}, goes on from its beginning"
    assert capsys.readouterr().out.startswith(told)
    third = begin_attempt(tmp_path, "start/0", second)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").touch()
    fourth = begin_attempt(tmp_path, "start/0", third)
    assert capsys.readouterr().out.endswith("goes on from its last checkpoint\n")
    assert [attempt.lost for attempt in (first, second, third, fourth)] == [0, 1, 2, 0]


def test_job_that_took_too_many_workers_with_it_fails_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(START_VARIABLE, "start")
    attempt = None
    (tmp_path / "4").mkdir()
    for _ in range(MOST_LOST):
        attempt = begin_attempt(tmp_path / "4", "start/4", attempt)
    with initialize_config_module("conf"):
        cfg = compose("train", ["data=folder", "data.root=DIR"], return_hydra_config=True)
    with read_write(cfg), open_dict(cfg):
        cfg.hydra.job.num, cfg.hydra.sweep.dir, cfg.hydra.sweep.subdir, cfg.hydra.runtime.cwd = (
            4,
            str(tmp_path),
            "4",
            str(tmp_path),
        )
    monkeypatch.setattr(HydraConfig.instance(), "cfg", cfg)
    assert run_job(OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])) is None
    job = read_job(tmp_path / "4")
    assert (job.status, job.exit_code) == ("failed", 1)
    assert job.last_lines == [f"error: lost {MOST_LOST} workers in a row without a new checkpoint, as for want of memory"]
