"""One training in several processes, whoever started them: one run folder, one result, and none left behind."""

import csv
import json
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest
import torch

from tests.sweeps.ranks import NET, QUICK, ROOT, srun, start, torchrun, wait_for

pytestmark = pytest.mark.posix
CLOCK = "hydra.run.dir={}/${{run_name}}"
"""A folder whose name has the time, which is another one in every process."""


def the_one_run(runs: Path) -> Path:
    """Return the only folder, after a look at what it holds."""
    (folder,) = runs.iterdir()
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    with (folder / "per_example.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert (result["status"], result["pairs"], result["epochs"]) == ("finished", 6, 1)
    assert len({row["index"] for row in rows}) == len(rows) == 6
    assert [path.name for path in (folder / "csv").iterdir()] == ["version_0"]
    return folder


def test_torchrun_makes_one_run(tiny: list[str], tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert torchrun(2, [*tiny, *NET, *QUICK, CLOCK.format(tmp_path / "runs")], log).wait(timeout=280) == 0
    the_one_run(tmp_path / "runs")
    said = log.read_text(encoding="utf-8")
    assert said.count("run folder:") == said.count("loading PyTorch") == said.count("epoch 1/1:") == 1


@pytest.mark.slow
def test_processes_under_slurm_share_nothing_but_the_run_folder(tiny: list[str], tmp_path: Path) -> None:
    homes = [{"HOME": str(tmp_path / f"home{rank}"), "SLURM_LOCALID": "0", "SLURM_NODEID": str(rank)} for rank in range(2)]
    own = [override for override in tiny if not override.startswith("data.cache_dir")]
    machines = {"SLURM_NNODES": "2", "SLURM_NTASKS_PER_NODE": "1"}
    overrides = [*own, *NET, *QUICK, CLOCK.format(tmp_path / "runs")]
    processes = srun(2, overrides, tmp_path / "logs", homes, **machines)
    assert [process.wait(timeout=280) for process in processes] == [0, 0]
    the_one_run(tmp_path / "runs")
    caches = [Path(home["HOME"]) / ".cache" / "clarion" for home in homes]
    assert len({len(list(cache.rglob("*"))) for cache in caches if any(cache.iterdir())}) == 1
    assert all(cache.is_dir() for cache in caches)


@pytest.mark.slow
def test_cache_of_a_machine_is_filled_by_one_of_its_processes(tiny: list[str], tmp_path: Path) -> None:
    fresh = [*tiny, f"data.cache_dir={tmp_path / 'cache'}", *NET, *QUICK, f"hydra.run.dir={tmp_path / 'run'}"]
    processes = srun(2, [*fresh, "trainer.fast_dev_run=true"], tmp_path / "logs")
    assert [process.wait(timeout=280) for process in processes] == [0, 0]
    said = [(tmp_path / "logs" / f"{rank}.txt").read_text(encoding="utf-8") for rank in range(2)]
    assert ["decoding" in text for text in said] == [True, False]
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_mistake_is_one_sentence_of_the_first_process(tiny: list[str], tmp_path: Path) -> None:
    processes = srun(2, [*tiny, *NET, *QUICK, "model.optimizer.lr=-1", f"hydra.run.dir={tmp_path / 'run'}"], tmp_path / "logs")
    assert [process.wait(timeout=120) for process in processes] == [1, 1]
    first, second = ((tmp_path / "logs" / f"{rank}.txt").read_text(encoding="utf-8").strip() for rank in range(2))
    assert "error: model.optimizer.lr=-1 must be" in first
    assert second == "error: process 0 of 2 has ended with exit code 1, so that this one ends too"
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.parametrize("dead", [1, 0])
def test_process_that_is_killed_ends_the_others_with_a_sentence(tiny: list[str], tmp_path: Path, dead: int) -> None:
    long = ["trainer.max_epochs=100000", f"hydra.run.dir={tmp_path / 'run'}"]
    processes = srun(2, [*tiny, *NET, *QUICK, *long], tmp_path / "logs")
    wait_for(tmp_path / "run" / "checkpoints" / "last.ckpt", processes)
    processes[dead].kill()
    processes[dead].wait()
    killed = time.monotonic()
    other = processes[1 - dead]
    assert other.wait(timeout=60) == 1
    assert time.monotonic() - killed < 60
    errors = [
        line for line in (tmp_path / "logs" / f"{1 - dead}.txt").read_text(encoding="utf-8").splitlines() if "error" in line
    ]
    assert len(errors) == 1
    assert errors[0].startswith("error: ") and "gone, so that this one ends too" in errors[0]
    assert "Traceback" not in (tmp_path / "logs" / f"{1 - dead}.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_process_that_stands_still_ends_the_others_with_a_sentence(tiny: list[str], tmp_path: Path) -> None:
    long = ["trainer.max_epochs=100000", f"hydra.run.dir={tmp_path / 'run'}"]
    processes = srun(2, [*tiny, *NET, *QUICK, *long], tmp_path / "logs")
    wait_for(tmp_path / "run" / "checkpoints" / "last.ckpt", processes)
    processes[1].send_signal(signal.SIGSTOP)
    try:
        assert processes[0].wait(timeout=60) == 1
    finally:
        processes[1].kill()
        processes[1].wait()
    assert "error: process 1 of 2 is gone, so that" in (tmp_path / "logs" / "0.txt").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("dead", ["first", "other"])
def test_processes_that_lightning_started_end_with_a_sentence(tiny: list[str], tmp_path: Path, dead: str) -> None:
    log, long = tmp_path / "log.txt", ["trainer.devices=2", "trainer.max_epochs=100000", f"hydra.run.dir={tmp_path / 'run'}"]
    first = start([sys.executable, "train.py", *tiny, *NET, *QUICK, *long], log)
    wait_for(tmp_path / "run" / "checkpoints" / "last.ckpt", [first])
    (other,) = children_of(first.pid)
    os.kill(first.pid if dead == "first" else other, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while Path(f"/proc/{first.pid if dead == 'other' else other}/exe").exists() and time.monotonic() < deadline:
        first.poll()
        time.sleep(0.2)
    assert time.monotonic() < deadline
    first.wait(timeout=5)
    assert log.read_text(encoding="utf-8").count("gone, so that this one ends too") == 1


def children_of(parent: int) -> list[int]:
    """Return the processes that a process has started and that run Python's script."""
    found = Path(f"/proc/{parent}/task").glob("*/children")
    children = [int(child) for file in found for child in file.read_text(encoding="utf-8").split()]
    return [child for child in children if b"train.py" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.slow
def test_torchrun_goes_on_from_the_last_checkpoint_when_a_process_is_killed(tiny: list[str], tmp_path: Path) -> None:
    of_seconds = ["trainer.max_epochs=60", "data.samples_per_epoch=8", "trainer.check_val_every_n_epoch=20", "examples=0"]
    run, log = tmp_path / "runs" / "one", tmp_path / "log.txt"
    agent = torchrun(2, [*tiny, *NET, *QUICK, *of_seconds, f"hydra.run.dir={run}"], log, ["--max-restarts=1"])
    wait_for(run / "checkpoints" / "last.ckpt", [agent])
    os.kill(children_of(agent.pid)[1], signal.SIGKILL)
    assert agent.wait(timeout=280) == 0
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["one"]
    result = json.loads((run / "result.json").read_text(encoding="utf-8"))
    assert (result["status"], result["epochs"]) == ("finished", 60)
    assert f"goes on from {run / 'checkpoints' / 'last.ckpt'}" in log.read_text(encoding="utf-8")


@pytest.mark.slow
def test_slurm_queues_a_job_again_that_goes_on_to_the_weights_of_an_uninterrupted_one(tiny: list[str], tmp_path: Path) -> None:
    asked, tools = tmp_path / "asked.txt", tmp_path / "bin"
    tools.mkdir()
    (tools / "scontrol").write_text(f'#!/bin/sh\necho "$@" >> {asked}\n', encoding="utf-8")
    (tools / "scontrol").chmod(0o755)
    length = ["trainer.max_epochs=12", "data.samples_per_epoch=128", "examples=0"]
    overrides = [*tiny, *NET, *QUICK, *length]
    path = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    parts = [*overrides, f"hydra.run.dir={tmp_path / 'parts'}"]
    processes = srun(2, parts, tmp_path / "logs", **path)
    wait_for(tmp_path / "parts" / "checkpoints" / "last.ckpt", processes)
    for process in processes:
        process.send_signal(signal.SIGUSR1)
    assert [process.wait(timeout=60) for process in processes] == [128 + signal.SIGUSR1] * 2
    assert asked.read_text(encoding="utf-8") == "requeue 4242\n"
    again = srun(2, parts, tmp_path / "again", **path, SLURM_RESTART_COUNT="1")
    assert [process.wait(timeout=280) for process in again] == [0, 0]
    whole = torchrun(2, [*overrides, f"hydra.run.dir={tmp_path / 'whole'}"], tmp_path / "whole.txt")
    assert whole.wait(timeout=280) == 0
    first, second = (torch.load(tmp_path / run / "checkpoints" / "last.ckpt", weights_only=True) for run in ("parts", "whole"))
    weights, others = first["current_model_state"], second["current_model_state"]
    assert all(torch.equal(value, others[name]) for name, value in weights.items())


def commands_of_the_page(starter: str) -> list[list[str]]:
    """Return what the page on clusters has torchrun or srun train."""
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    lines = [shlex.split(line) for line in page.splitlines() if line.startswith(f"    {starter} ")]
    return [line[line.index("train.py") + 1 :] for line in lines]


@pytest.mark.pages
@pytest.mark.parametrize("starter", ["torchrun", "srun"])
def test_commands_of_the_page_train(starter: str, tiny: list[str], music: Path, tmp_path: Path) -> None:
    commands = commands_of_the_page(starter)
    assert commands
    for number, command in enumerate(commands):
        given = [override.replace("=DIR", f"={music}") for override in command]
        overrides = [*given, *tiny, *NET, *QUICK, f"hydra.run.dir={tmp_path / str(number)}"]
        begin = [torchrun(2, overrides, tmp_path / "log.txt")] if starter == "torchrun" else srun(2, overrides, tmp_path / "logs")
        assert {process.wait(timeout=280) for process in begin} == {0}
        assert (tmp_path / str(number) / "result.json").exists()
