"""A sweep as W&B takes it, and the command line that one of its agents would run."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_module
from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

from sweeps.arguments import as_hydra_takes
from sweeps.extras import SWEEPS
from sweeps.report.history import _payloads
from sweeps.wandb_sweep import main
from tests.sweeps.conftest import QUICK, ROOT, SMALL

PAGES = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))
COMMANDS = re.findall(r"^    python sweeps/wandb_sweep.py (.*)$", PAGES, flags=re.MULTILINE)


def agents_command(sweep: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Return what W&B's agent makes of a sweep file and the values that it is handed, as `wandb agent` does."""
    flags = create_sweep_command_args({"args": {key: {"value": value} for key, value in values.items()}})
    places = {"${env}": [], "${interpreter}": [sys.executable], "${program}": [sweep["program"]]}
    places |= {f"${{{name}}}": entries for name, entries in flags.items()}
    return [word for entry in sweep["command"] for word in places.get(entry, [entry])]


def written(tmp_path: Path, *overrides: str) -> dict[str, Any]:
    path = tmp_path / "sweep.yaml"
    assert main([*overrides, "-o", str(path)]) == 0
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return content


def test_grid_has_the_values_of_the_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sweep = written(tmp_path, "sweep=mugan_loss_weights", "data=folder", "data.root=DIR", "model.loss_weights.feature=1")
    assert (sweep["program"], sweep["method"]) == ("train.py", "grid")
    assert sweep["metric"] == {"name": "val/si_sdr_db", "goal": "maximize"}
    expected = {"model.loss_weights.adversarial": [0, 0.1, 1], "model.generator_optimizer.lr": [5e-4, 2e-3]}
    assert sweep["parameters"] == {key: {"values": values} for key, values in expected.items()}
    shared = ["data.root=DIR", "data=folder", "model.loss_weights.feature=1", "model=mugan_small"]
    assert sorted(sweep["command"][3:7]) == shared
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"wandb sweep {tmp_path / 'sweep.yaml'}"
    assert second.startswith("wandb agent ENTITY/clarion/SWEEP_ID")


def test_search_has_bounds_and_as_many_trials(tmp_path: Path) -> None:
    sweep = written(tmp_path, "sweep=tpe")
    assert (sweep["method"], sweep["run_cap"]) == ("bayes", 30)
    bounds = {"distribution": "log_uniform_values", "min": 3e-4, "max": 1e-2}
    assert sweep["parameters"]["model.optimizer.lr"] == bounds
    assert {"model=unet_small", "prune_after_epochs=3"} <= set(sweep["command"])


@pytest.mark.parametrize("name", sorted(path.stem for path in SWEEPS.glob("*.yaml")))
def test_every_sweep_gives_commands_that_compose(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_RUN_ID", "abc")
    sweep = written(tmp_path, f"sweep={name}")
    values = {key: entry.get("values", [entry.get("min")])[-1] for key, entry in sweep["parameters"].items()}
    with initialize_config_module("conf"):
        config = compose("train", as_hydra_takes(agents_command(sweep, values)[2:])[0])
    assert config.run_name == f"{name}-abc"
    assert config.group == name


@pytest.mark.parametrize(("given", "said"), [("sweep=none", "sweep=none must be "), ("seed=1,2", "sweep=null must be ")])
def test_sweep_that_there_is_not_is_refused(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([given]) == 1
    assert capsys.readouterr().err.startswith(f"error: {said}")


def test_sweep_in_which_nothing_varies_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixed = ["model=unet_small", "seed=1"]
    assert main(["sweep=seeds", *fixed, "-o", str(tmp_path / "s.yaml")]) == 1
    assert capsys.readouterr().err.startswith("error: nothing varies")
    assert not (tmp_path / "s.yaml").exists()


@pytest.fixture
def agents_run(tiny: list[str], tmp_path: Path) -> Callable[[], Path]:
    """Return a function that runs the command of an agent as one does, without a server, and returns the run's folder."""

    def run() -> Path:
        quick = [word for word in QUICK if not word.startswith("logger=")]
        sweep = written(tmp_path, "sweep=learning_rates", "model=unet_small", *tiny, *SMALL, *quick)
        command = agents_command(sweep, {"model.optimizer.lr": 0.002})
        variables = {"WANDB_MODE": "offline", "WANDB_RUN_ID": "agent123", "WANDB_SWEEP_ID": "swp456", "WANDB_PROJECT": "theirs"}
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), **variables}
        command[1] = str(ROOT / command[1])
        ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{shlex.join(command)}\n{ended.stdout}{ended.stderr}"
        return tmp_path / "runs" / "learning_rates-agent123"

    return run


@pytest.mark.slow
def test_run_of_an_agent_takes_its_id_and_that_of_the_sweep(agents_run: Callable[[], Path]) -> None:
    from wandb.proto import wandb_internal_pb2

    folder = agents_run()
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["id"] == "agent123"
    (file,) = folder.glob("wandb/offline-run-*/run-agent123.wandb")
    records = [wandb_internal_pb2.Record.FromString(payload) for payload in _payloads(file.read_bytes())]
    (run,) = [record.run for record in records if record.HasField("run")][:1]
    assert (run.run_id, run.sweep_id, run.project) == ("agent123", "swp456", "theirs")


@pytest.mark.pages
@pytest.mark.parametrize("command", COMMANDS)
def test_command_of_a_page_writes_its_sweep(command: str, tmp_path: Path) -> None:
    script = [sys.executable, str(ROOT / "sweeps" / "wandb_sweep.py")]
    ended = subprocess.run([*script, *shlex.split(command)], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    (path,) = tmp_path.iterdir()
    assert f"wandb sweep {path.name}\n" in ended.stdout
    assert yaml.safe_load(path.read_text(encoding="utf-8"))["program"] == "train.py"


def test_pages_show_how_a_sweep_is_written() -> None:
    assert len(COMMANDS) >= 2
