"""Runs that were written before classes moved: their checkpoints restore what they restored, and their trainings go on."""

import importlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from hydra import compose, initialize_config_module

from conf.settings import TrainSettings, train_settings
from lightning_modules.commands.train import train
from lightning_modules.runs.checkpoint import load_restorer
from lightning_modules.runs.moved_names import MOVED, RENAMED, first_names, present_names

OLD = sorted((Path(__file__).parents[2] / "old_runs").iterdir())


def written(folder: Path) -> dict[str, Any]:
    """Return how an old run was trained, and what it made of noise then."""
    content: dict[str, Any] = json.loads((folder / "run_as.json").read_text(encoding="utf-8"))
    return content


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: folder.name)
def test_old_checkpoint_restores_as_it_did(folder: Path) -> None:
    noise = 0.1 * torch.randn(2, 1, 1500, generator=torch.Generator().manual_seed(0))
    restored = load_restorer(folder).restore(noise)[:, 0, ::300].flatten()
    torch.testing.assert_close(restored.detach(), torch.tensor(written(folder)["restored"]), atol=2e-6, rtol=0)


def as_before(folder: Path, run: Path, cache: Path) -> TrainSettings:
    """Return the settings of an old run that is to train one epoch more, in a copy of its folder."""
    names = ["choices.model=m", "choices.data=d", "choices.corruption=c", f"run_name={run.name}", f"run_dir={run}-new"]
    place = [f"data.cache_dir={cache}", f"data.root={cache}", f"resume={run}", "trainer.max_epochs=3"]
    with initialize_config_module("conf"):
        return train_settings(compose("train", overrides=[*written(folder)["overrides"], *names, *place]))


@pytest.mark.parametrize("folder", OLD, ids=lambda folder: folder.name)
def test_old_run_goes_on(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / folder.name
    shutil.copytree(folder, run)
    result = train(as_before(folder, run, tmp_path / "cache"))
    assert (result["status"], result["epochs"], result["problems"]) == ("finished", 3, [])


def test_every_old_name_leads_to_a_module() -> None:
    for before, now in MOVED.items():
        assert importlib.import_module(now)
        with pytest.raises(ImportError):
            importlib.import_module(before)
    for before, now in RENAMED.items():
        module, _, name = now.rpartition(".")
        assert hasattr(importlib.import_module(module), name)
        assert not hasattr(importlib.import_module(module), before.rpartition(".")[2])


def test_names_are_changed_wherever_they_stand_and_back() -> None:
    old = {"net": {"_target_": "models.unet.UNet"}, "parts": [{"_target_": "lightning_modules.warm_up.AfterSteps", "steps": 3}]}
    new = {
        "net": {"_target_": "models.unet.UNet"},
        "parts": [{"_target_": "lightning_modules.training.warm_up.AfterSteps", "steps": 3}],
    }
    assert present_names(old) == new
    assert first_names(new) == old
