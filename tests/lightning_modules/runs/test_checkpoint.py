"""Checkpoints open alone, give the same output, and never run what they name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from lightning_modules.runs.checkpoint import CheckpointError, build_restorer, load_restorer, read_checkpoint
from lightning_modules.runs.checkpoint_io import AtomicCheckpointIO

MODEL = {
    "_target_": "lightning_modules.regression.RegressionModule",
    "sample_rate": 16000,
    "loss_weights": {"l1": 1.0},
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 1e-3},
    "net": {"_target_": "models.unet.UNet", "depth": 1, "channels": [4], "kernels": [3], "dropout": 0.0},
}


def save(path: Path, model_config: dict[str, Any]) -> Path:
    torch.manual_seed(0)
    module = build_restorer(MODEL)
    torch.nn.init.normal_(module.net.last.weight)
    torch.save({"state_dict": module.state_dict(), "model_config": model_config}, path)
    return path


def test_reopened_method_restores_bit_for_bit_as_before(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ckpt", MODEL)
    torch.manual_seed(0)
    module = build_restorer(MODEL)
    torch.nn.init.normal_(module.net.last.weight)
    audio = torch.randn(1, 2, 333, generator=torch.Generator().manual_seed(1))
    reopened = load_restorer(path)
    assert torch.equal(reopened.restore(audio), module.restore(audio))
    assert not reopened.training
    assert reopened.sample_rate == 16000


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "torch.hub.load",
        "subprocess.Popen",
        "models.unet.torch.load",
        "models.unet.paper_channels",
        "lightning_modules.runs.checkpoint.load_restorer",
        "models.unet.Missing",
    ],
)
def test_foreign_target_is_refused(tmp_path: Path, target: str) -> None:
    path = save(tmp_path / "a.ckpt", MODEL | {"net": {"_target_": target}})
    with pytest.raises(
        CheckpointError, match="refused; a method may only name classes from models., lightning_modules., torch.optim."
    ):
        load_restorer(path)


def test_pickled_code_is_not_executed(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "executed",))

    torch.save({"state_dict": {}, "model_config": MODEL, "bomb": Bomb()}, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="a.ckpt: names '.*', which no checkpoint of this project holds"):
        load_restorer(tmp_path / "a.ckpt")
    assert not (tmp_path / "executed").exists()


def test_run_folder_stands_for_its_best_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    save(tmp_path / "checkpoints" / "last.ckpt", MODEL | {"sample_rate": 8000})
    assert load_restorer(tmp_path).sample_rate == 8000
    save(tmp_path / "checkpoints" / "best.ckpt", MODEL)
    assert load_restorer(tmp_path).sample_rate == 16000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read as a checkpoint$"),
        (b"not a checkpoint", "cannot be read as a checkpoint$"),
        (b"hello, a text\nof two lines\n", "cannot be read as a checkpoint$"),
        (b"I am a text too\n", "cannot be read as a checkpoint$"),
        (None, "no such checkpoint file"),
    ],
)
def test_broken_or_missing_file_is_named(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "broken.ckpt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"broken.ckpt: .*{message}"):
        load_restorer(path)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    other = MODEL | {"net": {**MODEL["net"], "channels": [8]}}  # type: ignore[dict-item]
    with pytest.raises(CheckpointError, match="size mismatch"):
        load_restorer(save(tmp_path / "a.ckpt", other))


def test_checkpoint_of_another_program_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(1)}, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="not written by train.py"):
        load_restorer(tmp_path / "a.ckpt")


@pytest.mark.parametrize("suffix", ["wav", "flac", "ogg", "mp3"])
def test_audio_file_is_no_checkpoint_and_nobody_is_told_to_trust_it(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"song.{suffix}"
    soundfile.write(path, 0.1 * np.random.default_rng(0).standard_normal(8000), 16000)
    with pytest.raises(CheckpointError) as caught:
        load_restorer(path)
    assert str(caught.value) == f"{path}: cannot be read as a checkpoint"


@pytest.mark.parametrize(
    ("model_config", "message"),
    [
        ([1, 2], "model_config is a list, not a mapping"),
        ("text", "model_config is a str, not a mapping"),
        ({}, "describes a dict, not a method"),
        ({"_target_": "models.unet.UNet", "depth": 1, "channels": [4], "kernels": [3]}, "describes a UNet, not a method"),
        (MODEL | {"_partial_": True}, "not a method"),
        (MODEL | {"depth": 4}, "cannot be built from its description: .*unexpected keyword argument 'depth'"),
        (MODEL | {"loss_weights": 3}, "loss_weights|int"),
        (MODEL | {"net": {"_target_": "models.unet.UNet", "_args_": 3}}, "cannot be built from its description"),
        (MODEL | {"loss_weights": {"l3": 1.0}}, "unknown model.loss_weights l3"),
    ],
)
def test_description_of_anything_but_a_method_is_one_sentence(tmp_path: Path, model_config: Any, message: str) -> None:
    with pytest.raises(CheckpointError, match=f"a.ckpt: .*({message})") as caught:
        load_restorer(save(tmp_path / "a.ckpt", model_config))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"net": "${oc.create:'{_target_: lightning_modules.runs.made_with.git_commit}'}"},
        {"loss_weights": {"l1": 1.0, "note": ["${oc.env:HOME}"]}},
        {"net": {"_target_": "${oc.env:TARGET}"}},
        {"monitor": "${sample_rate}"},
    ],
)
def test_interpolations_are_refused_before_they_are_resolved(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="is refused; a description holds no interpolations"):
        load_restorer(save(tmp_path / "a.ckpt", MODEL | change))


def test_weights_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": [1], "model_config": MODEL}, tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="a.ckpt: "):
        load_restorer(tmp_path / "a.ckpt")


def flipped(path: Path) -> None:
    """Flip a bit of the largest weight of a checkpoint, and write all checksums of the archive anew."""
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["net.last.weight"].view(torch.int32).view(-1)[0] ^= 1
    torch.save(checkpoint, path)


@pytest.mark.parametrize("reader", [load_restorer, read_checkpoint])
def test_flipped_bit_of_a_weight_is_refused(tmp_path: Path, reader: Any) -> None:
    AtomicCheckpointIO().save_checkpoint(
        {"state_dict": build_restorer(MODEL).state_dict(), "model_config": MODEL}, tmp_path / "a.ckpt"
    )
    reader(tmp_path / "a.ckpt")
    flipped(tmp_path / "a.ckpt")
    with pytest.raises(CheckpointError, match="a.ckpt: its weights are not those that were written"):
        reader(tmp_path / "a.ckpt")


def test_older_checkpoint_opens_with_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_restorer(save(tmp_path / "a.ckpt", MODEL))
    assert "a.ckpt was written without a checksum of its weights" in caplog.text
    caplog.clear()
    module = build_restorer(MODEL)
    AtomicCheckpointIO().save_checkpoint({"state_dict": module.state_dict(), "model_config": MODEL}, tmp_path / "b.ckpt")
    load_restorer(tmp_path / "b.ckpt")
    assert caplog.text == ""
