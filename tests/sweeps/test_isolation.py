"""Real sweeps: jobs that share nothing, one that fails, ranks that agree, and a second time that repeats only what is missing."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from machine.launched import launched, times_started_anew
from sweeps.isolation import job_environment, quoted
from sweeps.records import Job, read_job
from tests.processes import wait_until
from tests.sweeps.conftest import IN_A_JOB

ROOT = Path(__file__).parents[2]
Sweep = Callable[..., "subprocess.Popen[str]"]
SPY = (
    IN_A_JOB
    + """    from torch.optim.optimizer import register_optimizer_step_post_hook
    def note(optimizer, *_):
        folder = next(word for word in sys.orig_argv if word.startswith("hydra.run.dir=")).split("/")[-1].strip("'")
        rank = os.environ.get("LOCAL_RANK", "alone")
        with open(os.path.join(os.environ["SPY"], folder + "-" + rank), "a") as file:
            if type(optimizer).__name__ != "LBFGS":  # of the probe that tells restored from clean
                print(optimizer.param_groups[0]["lr"], file=file)
    register_optimizer_step_post_hook(note)
"""
)
BROKEN_PICTURES = (
    IN_A_JOB
    + """    import matplotlib.figure
    def fail(*_, **__):
        raise RuntimeError("no pictures today")
    matplotlib.figure.Figure.savefig = fail
"""
)
TWO_RANKS = ["+trainer.strategy=ddp_find_unused_parameters_true", "trainer.devices=2", "trainer.max_epochs=1"]
BASIC = OmegaConf.create({"launcher": {"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}})
PARALLEL = OmegaConf.create({"launcher": {"_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.LocalLauncher"}})


@dataclass
class Swept:
    """A sweep that has ended, and the learning rate of every step by job and rank."""

    folder: Path
    exit_code: int
    output: str
    rates: dict[str, set[float]]


@pytest.fixture(scope="module")
def swept(start_sweep: Sweep, tmp_path_factory: pytest.TempPathFactory) -> Swept:
    """Sweep two learning rates and a mistake, each with two processes."""
    spy, folder = tmp_path_factory.mktemp("spy"), tmp_path_factory.mktemp("multirun") / "a = b, c"
    (spy / "sitecustomize.py").write_text(SPY, encoding="utf-8")
    process = start_sweep(folder, *TWO_RANKS, "model.optimizer.lr=1e-3,fast,2e-3", PYTHONPATH=str(spy), SPY=str(spy))
    output, _ = process.communicate()
    rates = {path.name: {float(line) for line in path.read_text(encoding="utf-8").split()} for path in spy.glob("*-*")}
    return Swept(folder, process.returncode, output, rates)


def test_both_ranks_of_a_job_use_its_own_value(swept: Swept) -> None:
    assert swept.rates == {"0-0": {1e-3}, "0-1": {1e-3}, "2-0": {2e-3}, "2-1": {2e-3}}


def test_every_job_has_one_folder_with_its_results(swept: Swept) -> None:
    assert [path.name for path in swept.folder.parent.iterdir()] == ["a = b, c"]
    assert {path.name for path in swept.folder.iterdir() if path.is_dir()} == {"0", "1", "2"}
    for name, rate in (("0", 1e-3), ("2", 2e-3)):
        result = json.loads((swept.folder / name / "result.json").read_text(encoding="utf-8"))
        job = read_job(swept.folder / name)
        assert OmegaConf.load(swept.folder / name / "config.yaml").model.optimizer.lr == rate
        assert (job.status, job.exit_code) == ("finished", 0)
        assert job.objectives == {"val/si_sdr_db": result["validation"]["val/si_sdr_db"]}


def test_failed_job_is_named_and_the_others_go_on(swept: Swept) -> None:
    assert swept.exit_code == 1
    named = r"^error: job 1 \(model.optimizer.lr=fast\): failed with exit code 1: .*model.optimizer.lr=fast must be a number"
    assert re.search(named, swept.output, flags=re.MULTILINE)
    stored = json.loads((swept.folder / "sweep.json").read_text(encoding="utf-8"))["jobs"]
    assert {name: job["status"] for name, job in stored.items()} == {"0": "finished", "1": "failed", "2": "finished"}
    assert any("model.optimizer.lr=fast must be" in line for line in read_job(swept.folder / "1").last_lines)


def test_second_time_repeats_only_what_is_missing(swept: Swept, start_sweep: Sweep) -> None:
    done = (swept.folder / "0" / "result.json").stat().st_mtime_ns
    output, _ = start_sweep(swept.folder, *TWO_RANKS, "model.optimizer.lr=slow,2e-3,1e-3").communicate()
    for name in ("0", "2"):
        assert re.search(rf"^job {name}: finished.*\(before; rerun=true repeats it\)$", output, flags=re.MULTILINE)
    assert (swept.folder / "0" / "result.json").stat().st_mtime_ns == done
    assert {path.parent.name for path in swept.folder.glob("*/job.json")} == {"0", "1", "2", "3"}
    assert rate_of(read_job(swept.folder / "3")) == "slow"
    assert "3 jobs, 2 with a result" in output
    assert "error: job 3" in output and "error: job 1" not in output, "a job of the earlier sweep is held against this one"


@pytest.mark.slow
def test_killed_job_goes_on_where_it_was_and_rerun_repeats_it(start_sweep: Sweep, tmp_path: Path) -> None:
    settings = ["trainer.max_epochs=20", "model.optimizer.lr=2e-3"]
    with start_sweep(tmp_path, *settings) as first:
        wait_for(tmp_path / "0" / "checkpoints" / "last.ckpt", first)
        first.kill()
    wait_until(lambda: not running(tmp_path), seconds=10)
    assert read_job(tmp_path / "0").status == "running"
    for expected, more in (("0", []), ("0", []), ("1", ["rerun=true"])):
        process = start_sweep(tmp_path, *settings, *more)
        process.communicate()
        assert process.returncode == 0
        assert max(path.parent.name for path in tmp_path.glob("*/result.json")) == expected
    for name in ("0", "1"):
        epochs = [
            json.loads(line)["epoch"] for line in (tmp_path / name / "epochs.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        assert epochs == list(range(20)), "the killed job started over, or lost an epoch"


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_the_job_with_its_results_and_the_sweep_with_it(
    start_sweep: Sweep, tmp_path: Path, number: signal.Signals
) -> None:
    process = start_sweep(tmp_path, "model.optimizer.lr=1e-3,2e-3", "trainer.max_epochs=-1", "trainer.max_time=00:01:00:00")
    wait_for(tmp_path / "0" / "checkpoints" / "last.ckpt", process)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert "Traceback" not in output
    assert json.loads((tmp_path / "0" / "result.json").read_text(encoding="utf-8"))["status"] == "interrupted"
    assert read_job(tmp_path / "0").status == "interrupted"
    assert not (tmp_path / "1").exists()
    assert not running(tmp_path)


@pytest.mark.slow
def test_hopeless_job_is_ended_early_with_what_it_reached(start_sweep: Sweep, tmp_path: Path) -> None:
    settings = ["trainer.max_epochs=60", "prune_after_epochs=2", "ema_decay=null"]
    start_sweep(tmp_path, *settings, "seed=0,1,2").communicate()
    process = start_sweep(tmp_path, *settings, "seed=3", "model.optimizer.lr=0")
    output, _ = process.communicate()
    assert process.returncode == 0
    job = read_job(tmp_path / "3")
    assert job.status == "pruned"
    assert len((tmp_path / "3" / "epochs.jsonl").read_text(encoding="utf-8").splitlines()) < 60
    assert (
        job.objectives["val/si_sdr_db"]
        == json.loads((tmp_path / "3" / "result.json").read_text(encoding="utf-8"))["validation"]["val/si_sdr_db"]
    )
    assert "job 3: pruned, val/si_sdr_db" in output
    assert [read_job(tmp_path / name).status for name in "012"] == ["finished"] * 3


@pytest.mark.slow
def test_two_sweeps_at_once_share_a_folder_but_no_job(start_sweep: Sweep, tmp_path: Path) -> None:
    processes = [start_sweep(tmp_path), start_sweep(tmp_path)]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], outputs
    jobs = {card.parent.name: read_job(card.parent).status for card in tmp_path.glob("*/job.json")}
    started = [line.split()[1] for output in outputs for line in output.splitlines() if " starts; " in line]
    assert set(jobs.values()) == {"finished"}
    assert sorted(started) == sorted(jobs), "both trained in one folder"


@pytest.mark.posix
@pytest.mark.slow
def test_job_that_is_killed_as_for_want_of_memory_is_named_and_the_others_go_on(start_sweep: Sweep, tmp_path: Path) -> None:
    with start_sweep(tmp_path, "trainer.max_epochs=-1,1", "trainer.max_time=00:01:00:00") as process:
        wait_for(tmp_path / "0" / "checkpoints" / "last.ckpt", process)
        (job,) = (number for number, line in running(tmp_path).items() if f"hydra.run.dir={quoted(str(tmp_path / '0'))}" in line)
        os.kill(job, signal.SIGKILL)
        output, _ = process.communicate()
    assert process.returncode == 1
    jobs = [read_job(tmp_path / name) for name in "01"]
    assert [(job.status, job.exit_code) for job in jobs] == [("failed", 137), ("finished", 0)]
    assert "error: job 0 (trainer.max_epochs=-1): failed with exit code 137: killed, as for want of memory" in output


@pytest.mark.slow
def test_job_whose_end_fails_has_its_result_and_the_exit_code_tells(start_sweep: Sweep, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(BROKEN_PICTURES, encoding="utf-8")
    process = start_sweep(tmp_path / "sweep", "trainer.max_epochs=1", "seed=0", PYTHONPATH=str(tmp_path))
    output, _ = process.communicate()
    assert process.returncode == 1
    job = read_job(tmp_path / "sweep" / "0")
    assert (job.status, job.exit_code) == ("finished", 1)
    result = json.loads((tmp_path / "sweep" / "0" / "result.json").read_text(encoding="utf-8"))
    assert job.objectives == {"val/si_sdr_db": result["validation"]["val/si_sdr_db"]}
    assert result["problems"] == ["picture of example 0: RuntimeError: no pictures today"]
    assert "error: job 0 has a result, but its end failed: picture of example 0 failed" in output


@pytest.mark.slow
def test_evaluations_are_swept_too(tiny: list[str], tmp_path: Path) -> None:
    quick = ["model=sinc", "baselines=[]", "examples=0", "trainer.accelerator=cpu", f"hydra.sweep.dir={tmp_path}"]
    command = [sys.executable, "evaluate.py", "-m", *tiny, *quick, "corruption.snr_db=0,10"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    levels = [
        json.loads((tmp_path / name / "result.json").read_text(encoding="utf-8"))["metrics"]["test/corrupted_snr_db"]
        for name in "01"
    ]
    assert levels == pytest.approx([0, 10], abs=0.1)


def test_launch_variables_do_not_reach_a_job() -> None:
    around = {"LOCAL_RANK": "1", "MASTER_PORT": "1", "PL_GLOBAL_SEED": "1", "SLURM_NTASKS": "1", "HOME": "h", "A": "b"}
    assert job_environment(around, BASIC) == {"HOME": "h", "A": "b"}


def test_job_of_a_sweep_that_torchrun_started_alone_is_a_single_run() -> None:
    around = {"TORCHELASTIC_RUN_ID": "none", "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "GROUP_RANK": "0"}
    around |= {"LOCAL_WORLD_SIZE": "1", "TORCHELASTIC_RESTART_COUNT": "1"}
    job = job_environment(around, BASIC)
    assert (launched(job), times_started_anew(job)) == (None, 0)


@pytest.mark.parametrize(
    ("around", "launcher", "threads"),
    [
        ({}, BASIC, None),
        ({"OMP_NUM_THREADS": "3"}, BASIC, "3"),
        ({}, PARALLEL, "1"),
        ({"OMP_NUM_THREADS": "3"}, PARALLEL, "3"),
        ({"SLURM_CPUS_PER_TASK": "8"}, PARALLEL, "8"),
    ],
)
def test_jobs_side_by_side_share_the_cores(around: dict[str, str], launcher: Any, threads: str | None) -> None:
    assert job_environment(around, launcher).get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(
    ("value", "spelled"), [("auto", "auto"), ("a-1_b.c", "a-1_b.c"), ("/x y/a=b", "'/x y/a=b'"), ("it's", r"'it\'s'")]
)
def test_text_is_quoted_where_the_command_line_needs_it(value: str, spelled: str) -> None:
    assert quoted(value) == spelled


def rate_of(job: Job) -> str:
    return next(override.split("=")[1] for override in job.overrides if override.startswith("model.optimizer.lr="))


def running(folder: Path) -> dict[int, str]:
    """Return the command lines of processes that work for a folder, by process."""
    lines = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "train.py" in line and str(folder) in line:
            lines[int(path.parent.name)] = line
    return lines


def wait_for(path: Path, process: "subprocess.Popen[str]", seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)
