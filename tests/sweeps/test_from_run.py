"""A run that is trained once more: the same configuration to the same bits, and what differs is told."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_module
from omegaconf import DictConfig

from conf.compose import save
from conf.settings import TrainSettings
from lightning_modules.runs.made_with import told_differences, versions, write_made_with
from sweeps.from_run import with_earlier_run
from tests.sweeps.conftest import QUICK, ROOT, SMALL


def train(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "train.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return found


@pytest.mark.slow
def test_run_is_trained_once_more_to_the_bit(tiny: list[str], tmp_path: Path) -> None:
    first, again, other = (tmp_path / name for name in ("first", "again", "other"))
    said = [*tiny, *SMALL, *QUICK, "trainer.max_steps=3", "model.loss_weights.l1=0.3", "optimizer@model.optimizer=adam"]
    ended = train(*said, f"hydra.run.dir={first}")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    repeated = train("--from-run", str(first), f"hydra.run.dir={again}")
    assert repeated.returncode == 0, repeated.stdout + repeated.stderr
    lines = [line.strip() for line in repeated.stdout.splitlines()]
    expected = ["configuration", "commit", "test pairs (manifest hash)", "versions of packages"]
    assert [line for line in lines if line.endswith(": the same")] == [f"{what}: the same" for what in expected]
    changed = train(f"from_run={first}", "seed=1", f"hydra.run.dir={other}")
    assert "configuration: seed=1, was 0" in changed.stdout, changed.stdout + changed.stderr
    assert all(torch.equal(value, weights(again)[name]) for name, value in weights(first).items())
    assert not all(torch.equal(value, weights(other)[name]) for name, value in weights(first).items())


@pytest.mark.parametrize("content", [None, "{", "model: {}\n"])
def test_what_is_no_training_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "config.yaml").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=f"^--from-run {tmp_path}: (no run folder|an evaluation)"):
        with_earlier_run([f"--from-run={tmp_path}"])


@pytest.mark.parametrize("arguments", [["--from-run"], ["--from-run", "-m"]])
def test_option_without_a_folder_is_refused(arguments: list[str]) -> None:
    with pytest.raises(ValueError, match="--from-run needs the folder of a run"):
        with_earlier_run(arguments)


def test_command_line_without_an_earlier_run_stays() -> None:
    assert with_earlier_run(["seed=1", "from_run=null"]) == ["seed=1", "from_run=null"]


@pytest.fixture
def earlier(train_config: Callable[..., TrainSettings], tmp_path: Path) -> Path:
    """Return a run folder whose command line chose super-resolution, and whose learning rate was a default once."""
    said = ["corruption=super_resolution", "corruption.low_rate_hz=1000", "run_name=old"]
    config = train_config(*said[:-1]).config
    config["model"]["optimizer"]["lr"] = 0.0123
    config["choices"] = {"model": "unet_small", "data": "folder", "corruption": "super_resolution"}
    save(config, tmp_path / "config.yaml")
    write_made_with(tmp_path, said)
    return tmp_path


def composed(arguments: list[str]) -> DictConfig:
    with initialize_config_module("conf"):
        return compose("train", arguments)


def test_value_that_no_command_line_gave_is_set_and_names_are_not(earlier: Path) -> None:
    arguments = with_earlier_run(["--from-run", str(earlier), "trainer.max_epochs=7"])
    config = composed(arguments)
    assert (config.model.optimizer.lr, config.corruption.low_rate_hz, config.trainer.max_epochs) == (0.0123, 1000, 7)
    assert config.from_run == str(earlier)
    assert not [argument for argument in arguments if argument.startswith("run_name=")]
    assert with_earlier_run(arguments) == arguments  # as a job of a sweep gets them


def test_group_that_is_chosen_beside_has_its_own_values(earlier: Path) -> None:
    config = composed(with_earlier_run([f"from_run={earlier}", "corruption=noise"]))
    assert config.corruption._target_.endswith("Noise")
    assert "low_rate_hz" not in config.corruption
    assert config.model.optimizer.lr == 0.0123


def test_run_that_does_not_tell_its_command_line_is_repeated_too(earlier: Path) -> None:
    (earlier / "made_with.json").unlink()
    assert composed(with_earlier_run([f"from_run={earlier}"])).corruption.low_rate_hz == 1000


def test_differences_of_packages_and_pairs_are_told(tmp_path: Path) -> None:
    write_made_with(tmp_path, [])
    (tmp_path / "result.json").write_text(json.dumps({"manifest_hash": "a1"}), encoding="utf-8")
    made = json.loads((tmp_path / "made_with.json").read_text(encoding="utf-8"))
    made["versions"]["torch"] = "1.0"
    (tmp_path / "made_with.json").write_text(json.dumps(made), encoding="utf-8")
    commit, pairs, packages = told_differences(tmp_path, "b2")
    assert commit.startswith("commit: ")
    assert pairs == "test pairs (manifest hash): b2, was a1"
    assert packages == f"versions of packages: torch {versions()['torch']}, was 1.0"


def test_what_is_not_known_is_told_as_such(tmp_path: Path) -> None:
    commit, pairs, packages = told_differences(tmp_path, "b2")
    assert commit.endswith("not known of that run")
    assert pairs == "test pairs (manifest hash): b2; not known of that run"
    assert packages == "versions of packages: not known of that run"
