"""MU-GAN from the real configuration: its four combinations, resuming, several processes, and MAESTRO."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from conf.compose import create
from conf.settings import TrainSettings
from datamodules.sources.maestro import MaestroSource
from lightning_modules.commands.train import train
from lightning_modules.runs.checkpoint import build_restorer, load_restorer

Config = Callable[..., TrainSettings]
ROOT = Path(__file__).parent.parent
TINY_MUGAN = [
    "model=mugan_small",
    "model.net.depth=2",
    "model.net.filters=[8,8]",
    "model.discriminator.depth=2",
    "model.discriminator.filters=[4,4,4]",
    "model.autoencoder.depth=1",
    "model.autoencoder.filters=[8]",
]


def weights_of(run: Path) -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    return checkpoint


def same(first: Any, second: Any) -> bool:
    """Compare nested states of tensors and numbers bit for bit."""
    if isinstance(first, torch.Tensor):
        return torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(value, second[key]) for key, value in first.items())
    if isinstance(first, list | tuple):
        return len(first) == len(second) and all(map(same, first, second))
    return bool(first == second)


@pytest.mark.parametrize(("feature", "adversarial"), [(0, 0), (0, 1e-3), (1, 0), (1, 1e-3)])
@pytest.mark.parametrize("model", ["mugan_small", "unet_gan_small"])
def test_four_combinations_are_two_weights(
    train_config: Config, tmp_path: Path, model: str, feature: float, adversarial: float
) -> None:
    weights = [f"model.loss_weights.feature={feature}", f"model.loss_weights.adversarial={adversarial}"]
    result = train(train_config("trainer=smoke", f"model={model}", "data.batch_size=1", "examples=0", *weights))
    assert result["status"] == "finished"
    state = weights_of(tmp_path / "run")["state_dict"]
    assert any(name.startswith("autoencoder.") for name in state) == (feature > 0)
    assert any(name.startswith("discriminator.") for name in state) == (adversarial > 0)


SHAPED_AFTER_AN_EPOCH = ["model=collaborative_gan_small", "model.shaping.after_epochs=1", "model.refinement.steps=2"]


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [1, 2])
def test_run_resumed_before_or_in_the_middle_of_shaping_equals_the_uninterrupted_one(
    train_config: Config, tmp_path: Path, epochs: int
) -> None:
    settings = [*TINY_MUGAN, *SHAPED_AFTER_AN_EPOCH, "model.discriminator.norm=batch", "ema_decay=0.9", "examples=0"]
    train(train_config(*settings, "trainer.max_epochs=3", run="whole"))
    train(train_config(*settings, f"trainer.max_epochs={epochs}", run="parts"))
    train(train_config(*settings, "trainer.max_epochs=3", f"resume={tmp_path / 'parts'}", run="parts"))
    whole, parts = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    for key in ("state_dict", "optimizer_states", "current_model_state"):
        assert same(whole[key], parts[key]), key
    rates = [state["param_groups"][0]["lr"] for state in whole["optimizer_states"]]
    assert rates == pytest.approx([2e-3, 0.3 * 1e-3, 1e-3])


def test_run_resumed_at_an_epoch_end_equals_the_uninterrupted_one_in_all_networks(train_config: Config, tmp_path: Path) -> None:
    settings = [*TINY_MUGAN, "model.discriminator.norm=batch", "model.discriminator.dropout=0.2", "model.penalty_weights.r1=0"]
    settings += ["scheduler@model.schedulers.discriminator=plateau", "model.warm_up.steps=2", "model.warm_up.ramp_steps=9"]
    train(train_config(*settings, "trainer.max_epochs=3", run="whole"))
    train(train_config(*settings, "trainer.max_epochs=1", run="parts"))
    train(train_config(*settings, "trainer.max_epochs=3", f"resume={tmp_path / 'parts'}", run="parts"))
    whole, parts = weights_of(tmp_path / "whole"), weights_of(tmp_path / "parts")
    assert len(whole["optimizer_states"]) == 3
    for key in ("state_dict", "optimizer_states", "lr_schedulers", "current_model_state"):
        assert same(whole[key], parts[key]), key


def test_finished_run_opens_and_restores_without_its_autoencoder(train_config: Config, tmp_path: Path) -> None:
    autoencoder = ["model=autoencoder_small", "model.net.depth=1", "model.net.filters=[8]"]
    train(train_config(*autoencoder, "trainer.max_epochs=1", run="autoencoder"))
    train(train_config(*TINY_MUGAN, f"model.autoencoder_checkpoint={tmp_path / 'autoencoder'}", "trainer.max_epochs=1"))
    saved = torch.load(tmp_path / "autoencoder" / "checkpoints" / "best.ckpt", weights_only=True)["state_dict"]
    (tmp_path / "autoencoder").rename(tmp_path / "elsewhere")
    module = load_restorer(tmp_path / "run")
    assert all(torch.equal(value, module.state_dict()[f"autoencoder.{name[4:]}"]) for name, value in saved.items())
    assert module.restore(torch.randn(1, 2, 777)).shape == (1, 2, 777)


def test_missing_autoencoder_is_a_sentence_before_any_training(train_config: Config, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such run folder, checkpoint file or shipped model"):
        train(train_config(*TINY_MUGAN, "model.autoencoder_checkpoint=/nonexistent"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["trainer.precision=bf16-true"], "trainer.precision=bf16-true must be auto, 32-true, bf16-mixed or 16-mixed"),
        (["model.loss_weights.adversarial=-1"], "model.loss_weights.adversarial=-1 must be a number from 0"),
    ],
)
def test_mistake_is_a_sentence_before_there_is_a_run_folder(
    train_config: Config, tmp_path: Path, settings: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train(train_config(*TINY_MUGAN, *settings))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", ["+trainer.gradient_clip_val=1.0", "+trainer.accumulate_grad_batches=2"])
def test_trainer_settings_that_need_one_optimizer_are_refused_in_a_sentence(train_config: Config, setting: str) -> None:
    with pytest.raises(ValueError, match=r"gradient_clip_val|accumulate_grad_batches"):
        train(train_config(*TINY_MUGAN, setting))


BATCH_NORM = ["model.discriminator.norm=batch", "model.autoencoder.norm=batch"]


@pytest.mark.slow
@pytest.mark.parametrize("method", [[], pytest.param(SHAPED_AFTER_AN_EPOCH, marks=pytest.mark.slow, id="shaped")])
def test_two_processes_end_with_the_same_networks_and_the_metrics_of_one_also_when_resumed(
    tiny: list[str], tmp_path: Path, train_config: Config, method: list[str]
) -> None:
    names = ["run_name=r", "run_dir=r", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    several = ["trainer=cpu", "trainer.devices=2", "+trainer.strategy=ddp_find_unused_parameters_true"]
    quiet = ["trainer.enable_progress_bar=false", "trainer.num_sanity_val_steps=0", "trainer.precision=32-true"]
    overrides = [*tiny, *TINY_MUGAN, *method, *BATCH_NORM, *names, *several, *quiet]
    command = [sys.executable, str(ROOT / "tests" / "adversarial_in_two_processes.py"), str(tmp_path), *overrides]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr[-3000:]
    first, second, resumed, _ = (
        torch.load(tmp_path / run / f"{rank}.pt", weights_only=True) for run in ("whole", "parts") for rank in (0, 1)
    )
    assert any("running_mean" in name for name in first["state"] if name.startswith("autoencoder."))
    for other in (second, resumed):
        assert [name for name, value in first["state"].items() if not torch.equal(value, other["state"][name])] == []
        assert other["metrics"] == first["metrics"]
    alone = pl.Trainer(accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False)
    config = train_config(*TINY_MUGAN, *method, *BATCH_NORM).config
    module = build_restorer(config["model"])
    assert not any(torch.equal(value, first["state"][name]) for name, value in module.net.named_parameters(prefix="net"))
    module.load_state_dict(first["state"], strict=False)
    alone.validate(module, datamodule=create(config, "data"), verbose=False)
    metrics = {name: float(value) for name, value in alone.callback_metrics.items()}
    assert metrics == pytest.approx(first["metrics"], rel=1e-5)


@pytest.mark.parametrize("version", ["v2", "v3"])
def test_mugan_trains_on_maestro(train_config: Config, tmp_path: Path, version: str, make_maestro: Callable[..., Path]) -> None:
    root = make_maestro(tmp_path / "maestro", version)
    assert {recording.split for recording in MaestroSource(str(root)).recordings()} == {"train", "val", "test"}
    result = train(
        train_config(*TINY_MUGAN, "data=maestro", f"data.root={root}", "data.sample_rate=4000", "trainer.max_epochs=1")
    )
    assert result["choices"]["model"] == "method"
    with (tmp_path / "run" / "per_example.csv").open(newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == {"2006/3.wav"}
    assert json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))["status"] == "finished"


def test_collaborative_run_starts_from_an_adversarial_one_and_opens_without_it(train_config: Config, tmp_path: Path) -> None:
    train(train_config(*TINY_MUGAN, "trainer.max_epochs=1", run="base"))
    settings = ["model=collaborative_gan_small", f"init_from={tmp_path / 'base'}", "model.layer=1", "model.refinement.steps=2"]
    train(train_config(*settings, "trainer.max_epochs=1"))
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    module, base = load_restorer(tmp_path / "run"), load_restorer(tmp_path / "elsewhere")
    assert all(
        torch.equal(value, module.state_dict()[name]) for name, value in base.state_dict().items() if name.startswith("net.")
    )
    corrupted = torch.randn(1, 1, 500)
    assert torch.equal(module.with_num_steps(0).restore(corrupted), base.restore(corrupted))  # type: ignore[attr-defined]
