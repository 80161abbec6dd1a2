"""The length of a training, its trials, and a run that goes on with other values, from the real configuration."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.settings import TrainSettings
from lightning_modules.commands.train import train

Config = Callable[..., TrainSettings]
SMALL = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "examples=0"]
QUICK = [
    "trainer.max_epochs=null",
    "trainer.limit_val_batches=1",
    "trainer.limit_test_batches=1",
    "trainer.num_sanity_val_steps=0",
]


def steps_of(run: Path) -> list[tuple[int, int]]:
    return [
        (line["epoch"], line["step"]) for line in map(json.loads, (run / "epochs.jsonl").read_text(encoding="utf-8").splitlines())
    ]


def rates_of(run: Path) -> dict[str, Any]:
    (group,) = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["optimizer_states"][0]["param_groups"]
    return {name: group[name] for name in ("lr", "weight_decay")}


@pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`, callbacks used to create")
def test_run_goes_on_with_other_values_which_are_told_and_take_effect(
    train_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begin = ["trainer.max_steps=6", "trainer.val_check_interval=3", "scheduler@model.scheduler=plateau"]
    first = train(train_config(*SMALL, *QUICK, *begin))
    assert (first["status"], first["global_step"]) == ("finished", 6)
    assert steps_of(tmp_path / "run") == [(0, 3), (1, 6)]
    assert rates_of(tmp_path / "run") == {"lr": 0.002, "weight_decay": 0.01}
    resume = ["trainer.max_steps=8", "trainer.val_check_interval=3", f"resume={tmp_path / 'run'}", "ema_decay=null"]
    other = ["model.optimizer.lr=1e-6", "model.optimizer.weight_decay=0.5", "model.loss_weights.l1=0.5", "model.net.dropout=0.2"]
    leftover = tmp_path / "run" / "examples" / f".{'0' * 32}.partial"
    leftover.parent.mkdir(exist_ok=True)
    leftover.write_bytes(b"half an example, of a process that was killed")
    capsys.readouterr()
    second = train(train_config(*SMALL, *QUICK, *resume, *other, "corruption.snr_db=40"))
    assert second["global_step"] == 8
    assert not leftover.exists()
    assert steps_of(tmp_path / "run") == [(0, 3), (1, 6), (1, 8)]
    assert rates_of(tmp_path / "run") == {"lr": 1e-6, "weight_decay": 0.5}
    assert second["validation"]["val/corrupted_snr_db"] == pytest.approx(40, abs=0.1)  # not the best of other pairs
    told = capsys.readouterr().out.splitlines()
    for line in (
        "changed: trainer.max_steps=8, was 6",
        "changed: model.optimizer.lr=1e-06, was 0.002",
        "changed: model.optimizer.weight_decay=0.5, was 0.01",
        "changed: model.net.dropout=0.2, was 0.0",
        "changed: corruption.snr_db=40, was [0, 15]",
        "changed: ema_decay=null, was 0.995",
        "other pairs are validated from now on, so the best checkpoint is chosen anew",
    ):
        assert told.count(line) == 1


def test_what_cannot_change_is_refused_before_data_are_read(
    train_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(train_config(*SMALL, *QUICK, "trainer.max_steps=2"))
    monkeypatch.setattr("datamodules.restoration.RestorationDataModule.setup", lambda *_: pytest.fail("data were read"))
    with pytest.raises(ValueError, match=r"cannot go on with model.net.kernels=\[9, 3\] \(it has \[9, 5\]\)"):
        train(train_config(*SMALL, f"resume={tmp_path / 'run'}", "model.net.kernels=[9,3]"))


def test_trial_of_everything_leaves_nothing(train_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = train(train_config(*SMALL, "trainer.fast_dev_run=true"))
    assert (result["status"], result["global_step"], result["pairs"]) == ("finished", 1, 1)
    assert list(tmp_path.iterdir()) == []
    assert "trainer.fast_dev_run=true: tried with 1 of all batches and pairs; nothing is kept" in capsys.readouterr().out


def test_overfitted_batches_are_the_same_in_every_epoch(train_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[int]] = []
    monkeypatch.setattr(
        "lightning_modules.base.RestorationModule.on_train_batch_start",
        lambda module, batch, number: (seen.append(batch["index"].tolist()), setattr(module, "batch_index", batch["index"]))[0],
    )
    train(train_config(*SMALL, *QUICK[1:], "trainer.overfit_batches=2", "trainer.max_epochs=2"))
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]] * 2


def test_accumulated_gradients_of_several_networks_are_refused(train_config: Config) -> None:
    with pytest.raises(ValueError, match="trainer.accumulate_grad_batches=2 must be 1: .* use data.batch_size"):
        train(train_config("model=mugan_small", "+trainer.accumulate_grad_batches=2"))
