"""Weights in halves restore as the run that they come from, tell nothing of its machine, and are refused once changed."""

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import clarion
import export
from lightning_modules.runs.checkpoint import CheckpointError, build_restorer, load_restorer
from lightning_modules.runs.checkpoint_io import with_checksum
from lightning_modules.runs.halves import write_halves
from lightning_modules.runs.shipped import DESCRIPTION, WEIGHTS, with_shipped_models

RATE_HZ = 4000
METHOD = {
    "_target_": "lightning_modules.regression.RegressionModule",
    "sample_rate": RATE_HZ,
    "loss_weights": {"l2": 1.0},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True},
    "net": {"_target_": "models.unet.UNet", "depth": 2, "channels": [4, 4], "kernels": [9, 5], "bias": False},
}
TRAINED_ON = {
    "corruption": {"steps": [{"noise_root": "/data/noise", "snr_db": [0, 40]}]},
    "data": {"root": ["/data/a"], "cache_dir": "/data/cache", "license_ids": ["cc0"]},
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return the folder of a finished run."""
    module = build_restorer(METHOD)
    for parameter in module.parameters():
        parameter.data = 0.2 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    content = {"state_dict": module.state_dict(), "model_config": module.model_config}
    torch.save(with_checksum(content), tmp_path / "run" / "checkpoints" / "best.ckpt")
    (tmp_path / "run" / "config.yaml").write_text(
        yaml.safe_dump({"model": METHOD, "run_dir": "/x", **TRAINED_ON}), encoding="utf-8"
    )
    return tmp_path / "run"


@pytest.fixture
def folder(run: Path, tmp_path: Path) -> Path:
    """Return the folder of the model that was made of it."""
    assert export.main([str(run), "-o", str(tmp_path / "model")]) == 0
    return tmp_path / "model"


def test_folder_of_halves_restores_as_its_run_to_the_rounding_of_weights(run: Path, folder: Path) -> None:
    noisy = np.sin(np.arange(2000) * 0.7)[None].astype(np.float32)
    first, again = (clarion.load(path)(noisy, RATE_HZ) for path in (run, folder))
    assert np.abs(first - noisy).max() > 0.1
    np.testing.assert_allclose(again, first, atol=2e-3 * np.abs(first).max())
    weights = load_restorer(run).state_dict()
    for name, value in load_restorer(folder).state_dict().items():
        assert value.dtype == torch.float32
        assert torch.equal(value, weights[name].half().float())


def test_description_tells_the_training_and_no_folder_of_the_machine(folder: Path) -> None:
    told = yaml.safe_load((folder / DESCRIPTION).read_text(encoding="utf-8"))
    assert told["model"]["net"]["depth"] == 2
    assert told["corruption"] == {"steps": [{"noise_root": None, "snr_db": [0, 40]}]}
    assert told["data"] == {"root": None, "cache_dir": None, "license_ids": ["cc0"]}
    assert (folder / WEIGHTS).stat().st_mode == (folder / DESCRIPTION).stat().st_mode  # whoever is given one can read the other
    assert "/data" not in (folder / DESCRIPTION).read_text(encoding="utf-8") and "run_dir" not in told


def test_changed_weights_are_refused_by_name(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-3] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{WEIGHTS}: its weights are not those that were written"):
        load_restorer(folder)


@pytest.mark.parametrize("text", ["", "model: 3", "- 1"])
def test_description_without_a_model_is_told(folder: Path, text: str) -> None:
    (folder / DESCRIPTION).write_text(text, encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"weights.safetensors: config.yaml beside it describes no model"):
        load_restorer(folder)


def test_cut_file_is_no_checkpoint(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:100])
    with pytest.raises(CheckpointError, match=r"weights.safetensors: cannot be read as a checkpoint"):
        load_restorer(folder)


def test_numbers_beyond_float16_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^net.a holds numbers beyond those of float16$"):
        write_halves({"net.a": torch.tensor([1e6])}, {"model": METHOD}, tmp_path)


def test_model_that_is_shipped_is_opened_by_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightning_modules.runs.shipped.FOLDER", folder.parent)
    assert clarion.load("model")._method(RATE_HZ).sample_rate == RATE_HZ
    assert with_shipped_models(["model=model", "model=wiener", "seed=1"]) == ["checkpoint=model", "model=wiener", "seed=1"]
    with pytest.raises(ValueError, match=r"^other: no such checkpoint, run folder, shipped model \(model, run\) or method"):
        clarion.load("other")
