"""Starting weights: what agrees in name and shape is taken, the rest is listed, and what cannot be used is a sentence."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lightning_modules.regression import RegressionModule
from lightning_modules.runs.starting import open_origin, start_from


def make(width: int = 2, deep: bool = True) -> RegressionModule:
    layers = [nn.Conv1d(1, width, 3), nn.BatchNorm1d(width), *([nn.Conv1d(width, 1, 3)] if deep else [])]
    return RegressionModule(nn.Sequential(*layers), 4000, {"l2": 1.0}, partial(torch.optim.SGD, lr=0.1))


def saved(module: nn.Module, path: Path, **more: Any) -> str:
    torch.save({"state_dict": module.state_dict() | more, "model_config": {"sample_rate": 8000}}, path)
    return str(path)


def test_weights_that_agree_are_taken_and_all_others_listed(tmp_path: Path) -> None:
    source, module = make(deep=False), make()
    path = saved(source, tmp_path / "a.ckpt", **{"net.1.weight": torch.zeros(5), "old.scale": torch.zeros(1)})
    before = {name: value.clone() for name, value in module.state_dict().items()}
    taken = start_from(module, open_origin("init_from", path))
    own, theirs = module.state_dict(), source.state_dict()
    for name in ("net.0.weight", "net.0.bias", "net.1.bias"):
        assert torch.equal(own[name], theirs[name])
    for name in ("net.1.weight", "net.2.weight", "net.2.bias"):
        assert torch.equal(own[name], before[name])
    assert list(taken.lines()) == [
        f"init_from={path}: took over 6 of 9 weights",
        "  2 not there: net.2.weight, net.2.bias",
        "  1 of another shape: net.1.weight 5 for 2",
        "  1 left over: old.scale",
    ]
    assert taken.content() == {
        "checkpoint": path,
        "sample_rate": 8000,
        "loaded": 6,
        "missing": ["net.2.weight", "net.2.bias"],
        "other_shape": ["net.1.weight 5 for 2"],
        "left_over": ["old.scale"],
    }


def test_weights_of_which_none_agrees_are_refused(tmp_path: Path) -> None:
    other = {"net.0.weight": torch.zeros(7), "net.1.num_batches_tracked": torch.tensor(3)}
    torch.save({"state_dict": other, "model_config": {"sample_rate": 8000}}, tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match="none of its 2 weights agrees in name and shape with this method's"):
        start_from(make(), open_origin("init_from", str(tmp_path / "a.ckpt")))


def test_name_of_nothing_tells_which_models_are_shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightning_modules.runs.shipped.FOLDER", tmp_path)
    with pytest.raises(ValueError, match=r"^init_from=denoise: no such run folder, .* shipped model \(there are none yet\)$"):
        open_origin("init_from", "denoise")
    (tmp_path / "denoise_music").mkdir()
    with pytest.raises(ValueError, match=r"shipped model \(denoise_music\)$"):
        open_origin("init_from", "denoise")


def test_shipped_model_is_found_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightning_modules.runs.shipped.FOLDER", tmp_path)
    (tmp_path / "denoise" / "checkpoints").mkdir(parents=True)
    path = saved(make(), tmp_path / "denoise" / "checkpoints" / "best.ckpt")
    assert str(open_origin("init_from", "denoise").file) == path


@pytest.mark.parametrize(
    ("content", "reason"), [(b"no checkpoint", "cannot be read as a checkpoint"), (None, "no checkpoints/best.ckpt")]
)
def test_what_is_no_run_is_refused_by_its_key(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "a"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^init_from={path}: .*{reason}"):
        open_origin("init_from", str(path))
