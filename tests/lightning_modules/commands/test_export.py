"""Exported files restore as the project does, in programs without it too; what cannot be exported is a sentence."""

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

import clarion
import export
from lightning_modules.commands.export import PACKAGES
from lightning_modules.runs.checkpoint import build_restorer
from lightning_modules.runs.checkpoint_io import with_checksum
from tests.conftest import tone

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
RATE_HZ = 4000
SETTINGS = {"_target_": "lightning_modules.regression.RegressionModule", "sample_rate": RATE_HZ, "loss_weights": {"l2": 1.0}}
SETTINGS |= {"optimizer": {"_target_": "torch.optim.Adam", "_partial_": True}}
SPECTRUM = {"fft_samples": 64, "hop_samples": 16}
NETS: dict[str, dict[str, Any]] = {
    "unet": {"_target_": "models.unet.UNet", "depth": 2, "channels": [4, 4], "kernels": [9, 5], "bias": False},
    "conv_rnn": {"_target_": "models.conv_rnn.ConvRNN", "steps": 2, "state_channels": 4, "hidden_channels": 4, **SPECTRUM},
    "mask_net": {"_target_": "models.mask_net.MaskNet", "sample_rate": RATE_HZ, "channels": 4, "blocks": 1, **SPECTRUM},
    "causal": {
        "_target_": "models.mask_net_causal.MaskNetCausal",
        "sample_rate": RATE_HZ,
        "channels": 4,
        "blocks": 1,
        **SPECTRUM,
    },
}
DEVIATIONS = {"mask_net": 0.1}
"""Of weights; of larger ones it takes back its change of a tone, which is more than there is of it."""
Save = Callable[[str], Path]


@pytest.fixture
def saved(tmp_path: Path) -> Save:
    """Return a function that writes the checkpoint of a network that changes what it is given."""

    def save(name: str) -> Path:
        module = build_restorer({**SETTINGS, "net": NETS[name]})
        for parameter in module.parameters():
            parameter.data = DEVIATIONS.get(name, 0.2) * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
        content = {"state_dict": module.state_dict(), "model_config": module.model_config}
        torch.save(with_checksum(content), tmp_path / f"{name}.ckpt")
        return tmp_path / f"{name}.ckpt"

    return save


def need_extra() -> None:
    if not all(find_spec(package) for package in PACKAGES):
        pytest.skip("needs the export extra")


@pytest.mark.parametrize(
    ("name", "example"), [*((name, "restore") for name in ("unet", "conv_rnn", "mask_net")), ("causal", "stream")]
)
def test_consumer_without_this_project_restores_as_it_does(
    saved: Save, tmp_path: Path, name: str, example: str, capsys: pytest.CaptureFixture[str]
) -> None:
    need_extra()
    checkpoint = saved(name)
    assert export.main([str(checkpoint), "-o", str(tmp_path / "model.onnx")]) == 0
    told = capsys.readouterr().out
    assert f" at {RATE_HZ} Hz, opset " in told and "differs by at most" in told
    noisy = np.stack([tone(seed, 37.3, RATE_HZ) for seed in (0, 1)], axis=1)
    soundfile.write(tmp_path / "noisy.wav", noisy, RATE_HZ, subtype="FLOAT")
    command = [sys.executable, str(EXAMPLES / f"{example}_onnx.py"), "model.onnx", "noisy.wav", "restored.wav"]
    subprocess.run(command, cwd=tmp_path, check=True)
    restored, rate_hz = soundfile.read(tmp_path / "restored.wav")
    wanted = clarion.load(checkpoint)(noisy.T.astype(np.float32), RATE_HZ).T
    assert rate_hz == RATE_HZ
    assert np.abs(restored - wanted).max() < 1e-4
    assert np.abs(restored - noisy).max() > 1e-3


def test_file_says_what_it_takes(saved: Save, tmp_path: Path) -> None:
    need_extra()
    import onnxruntime

    assert export.main([str(saved("unet")), "-o", str(tmp_path / "model.onnx")]) == 0
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    about = session.get_modelmeta().custom_metadata_map
    assert [each.shape for each in session.get_inputs()] == [["channels", "samples"]]
    expected = {"project": "clarion", "method": "models.unet.UNet", "sample_rate_hz": "4000", "channels": "any"}
    assert expected.items() <= about.items()
    assert {"project_version", "chunk_samples", "overlap_samples", "margin_samples", "grid_samples"} <= about.keys()


def test_file_that_restores_otherwise_is_not_kept(
    saved: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    need_extra()
    monkeypatch.setattr("lightning_modules.commands.export.differences", lambda *_: iter([((1, 40), 1e-6), ((1, 400), 2e-4)]))
    assert export.main([str(saved("unet")), "-o", str(tmp_path / "model.onnx")]) == 1
    assert "error: it differs by 2.0e-04, at most 0.0001 is right; nothing is written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["unet.ckpt"]


def test_method_that_cannot_be_exported_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["wiener", "-o", str(tmp_path / "model.onnx")]) == 1
    assert capsys.readouterr().err.startswith("error: Wiener cannot be exported: its gains follow from frame to frame")
    assert export.main(["nothing", "-o", str(tmp_path / "model.onnx")]) == 1
    assert capsys.readouterr().err.startswith("error: nothing: no such checkpoint, run folder, shipped model (")


def test_folder_that_is_not_there_is_told_before_any_work(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["wiener", "-o", str(tmp_path / "none" / "model.onnx")]) == 1
    assert capsys.readouterr().err == f"error: -o {tmp_path / 'none' / 'model.onnx'}: there is no folder {tmp_path / 'none'}\n"


def test_missing_extra_is_a_sentence_with_the_command(
    saved: Save, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lightning_modules.commands.export.find_spec", lambda name: None)
    assert export.main([str(saved("unet")), "-o", str(tmp_path / "model.onnx")]) == 1
    assert "needs the packages onnx, onnxscript, onnxruntime: pip install '.[export]'" in capsys.readouterr().err
