"""What stays of a run's checkpoints is what was asked for, and only once nothing needs them any more."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.settings import TrainSettings
from lightning_modules.callbacks.best_and_last import EVALUATED
from lightning_modules.commands.train import train
from lightning_modules.runs.checkpoint import load_restorer
from lightning_modules.runs.checkpoint_io import RESUMED
from lightning_modules.runs.folder import RunFolderError
from lightning_modules.runs.kept_files import KEPT, discard_checkpoints
from lightning_modules.runs.weights import CHECKSUM

TINY = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "trainer.max_epochs=1", "examples=0"]


def ended(folder: Path, **facts: Any) -> dict[str, Any]:
    """Make the folder of a run with both checkpoints, and return its result."""
    (folder / "checkpoints").mkdir()
    for name in ("best", "last"):
        (folder / "checkpoints" / f"{name}.ckpt").touch()
    best = folder / "checkpoints" / "best.ckpt"
    return {"status": "finished", "problems": [], "checkpoint": str(best), **facts}


@pytest.mark.parametrize("keep", KEPT)
def test_what_is_asked_for_stays_and_the_result_names_a_file_that_is_there(tmp_path: Path, keep: str) -> None:
    result = discard_checkpoints(tmp_path, keep, ended(tmp_path))
    assert {path.stem for path in tmp_path.glob("checkpoints/*.ckpt")} == set(KEPT[keep])
    named = {"both": "best", "best": "best", "last": "last", "none": None}[keep]
    assert result["checkpoint"] == (named and str(tmp_path / "checkpoints" / f"{named}.ckpt"))
    if keep != "both":
        assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == result


@pytest.mark.parametrize("facts", [{"status": "interrupted"}, {"problems": ["the test: failed"]}])
def test_run_that_is_not_at_its_end_keeps_both(tmp_path: Path, facts: dict[str, Any]) -> None:
    result = ended(tmp_path, **facts)
    assert discard_checkpoints(tmp_path, "none", result) == result
    assert {path.stem for path in tmp_path.glob("checkpoints/*.ckpt")} == {"best", "last"}


def test_best_holds_what_is_evaluated_and_last_what_a_training_needs(
    train_config: Callable[..., TrainSettings], tmp_path: Path
) -> None:
    train(train_config(*TINY, "ema_decay=0.5"))
    folder = tmp_path / "run" / "checkpoints"
    best, last = (torch.load(folder / f"{name}.ckpt", weights_only=True) for name in ("best", "last"))
    assert set(best) == {*EVALUATED, CHECKSUM}
    assert set(last) >= {*RESUMED, "current_model_state"}
    assert all(torch.equal(value, last["state_dict"][name]) for name, value in best["state_dict"].items())
    assert not all(torch.equal(value, last["current_model_state"][name]) for name, value in best["state_dict"].items())
    weights = load_restorer(tmp_path / "run").state_dict()
    assert all(torch.equal(value, best["state_dict"][name]) for name, value in weights.items())
    with pytest.raises(RunFolderError, match=r"best.ckpt: .*, whose last.ckpt holds what it needs; use resume=.*/run$"):
        train(train_config(*TINY, f"resume={folder / 'best.ckpt'}", run="other"))


def test_run_keeps_what_its_configuration_says(train_config: Callable[..., TrainSettings], tmp_path: Path) -> None:
    result = train(train_config(*TINY, "keep_checkpoints=best"))
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["best.ckpt"]
    assert result["checkpoint"] == str(tmp_path / "run" / "checkpoints" / "best.ckpt")
    with pytest.raises(RunFolderError, match=r"no .*last.ckpt to continue from"):
        train(train_config(*TINY, f"resume={tmp_path / 'run'}", run="other"))
