"""How long a training is, for every recipe: in batches, validated and kept at its end, and continued there to the same bits."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.settings import TrainSettings
from lightning_modules.callbacks.budget import check_last_step
from lightning_modules.commands.train import train

Config = Callable[..., TrainSettings]
GAN = [
    "model.net.depth=2",
    "model.net.filters=[8,8]",
    "model.net.dropout=0.3",
    "model.discriminator.depth=2",
    "model.discriminator.filters=[4,4,4]",
    "model.autoencoder.depth=1",
    "model.autoencoder.filters=[8]",
]
REGRESSION = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "model.net.dropout=0.3"]
CONV_RNN = ["model.net.state_channels=4", "model.net.hidden_channels=8", "model.net.steps=3", "model.net.fft_samples=256"]
REFINED = ["model.refinement.steps=2", "model.shaping.after_epochs=1", "model.shaping.rate_factor=0"]
RECIPES = {
    "unet_small": REGRESSION,
    "mugan_small": GAN,
    "collaborative_gan_small": [*GAN, *REFINED],
    "conv_rnn": [*CONV_RNN, "model.net.hop_samples=64"],
}
SHORT = ["examples=0", "trainer.max_epochs=null", "trainer.limit_val_batches=2", "trainer.limit_test_batches=1"]
"""Epochs have four batches."""


def state_of(run: Path, name: str = "last") -> dict[str, Any]:
    checkpoint: dict[str, Any] = torch.load(run / "checkpoints" / f"{name}.ckpt", weights_only=True)
    return checkpoint


def differing(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> list[str]:
    assert first.keys() == second.keys()
    return [name for name, value in first.items() if not torch.equal(value, second[name])]


def lines_of(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]


def steps_of(run: Path) -> list[tuple[float, float]]:
    return [(line["epoch"], line["step"]) for line in lines_of(run)]


@pytest.mark.slow
@pytest.mark.parametrize("recipe", RECIPES)
def test_steps_are_batches_and_a_run_goes_on_after_them_to_the_same_bits(
    train_config: Config, tmp_path: Path, recipe: str
) -> None:
    settings = [f"model={recipe}", *RECIPES[recipe], *SHORT]
    whole = train(train_config(*settings, "trainer.max_steps=7", run="whole"))
    part = train(train_config(*settings, "trainer.max_steps=2", run="parts"))
    assert (whole["status"], whole["global_step"], part["global_step"]) == ("finished", 7, 2)
    assert steps_of(tmp_path / "whole") == [(0, 4), (1, 7)]
    assert steps_of(tmp_path / "parts") == [(0, 2)]
    assert math.isfinite(part["validation"]["val/si_sdr_db"])
    for steps in (6, 7):
        goes_on = [f"trainer.max_steps={steps}", f"resume={tmp_path / 'parts'}"]
        result = train(train_config(*settings, *goes_on, run="parts"))
        assert result["global_step"] == steps
    assert steps_of(tmp_path / "parts") == [(0, 2), (0, 4), (1, 6), (1, 7)]
    assert lines_of(tmp_path / "parts")[1] == lines_of(tmp_path / "whole")[0]
    first, second = (state_of(tmp_path / run) for run in ("whole", "parts"))
    assert differing(first["state_dict"], second["state_dict"]) == []
    assert differing(first["current_model_state"], second["current_model_state"]) == []
    assert first["loops"]["fit_loop"]["epoch_loop.batch_progress"] == second["loops"]["fit_loop"]["epoch_loop.batch_progress"]


@pytest.mark.parametrize(
    ("steps", "accumulated", "batches", "allowed"),
    [
        (7, 2, 4, "6 or 8"),
        (1, 4, 100, "4"),
        (5, 3, 4, "4 or 7"),
        (10, 3, 4, "8 or 11"),
        (3, 8, 2, "2 or 4"),
        (7, 2, math.inf, "6 or 8"),
        (7, 3, 4, None),
        (8, 3, 4, None),
        (6, 2, math.inf, None),
        (2, 8, 2, None),
        (None, 4, 9, None),
    ],
)
def test_end_between_two_steps_of_the_optimizer_is_refused_with_the_nearest_that_are_not(
    steps: int | None, accumulated: int, batches: float, allowed: str | None
) -> None:
    if allowed is None:
        assert check_last_step(steps, accumulated, batches) is None  # type: ignore[func-returns-value]
        return
    with pytest.raises(ValueError, match=f"max_steps={steps} .*accumulate_grad_batches={accumulated} .*; allowed: {allowed}$"):
        check_last_step(steps, accumulated, batches)


def test_that_is_told_before_there_is_a_run_folder(train_config: Config, tmp_path: Path) -> None:
    accumulating = [*SHORT, "+trainer.accumulate_grad_batches=2", "trainer.max_steps=3"]
    with pytest.raises(ValueError, match="allowed: 2 or 4$"):
        train(train_config("model=unet_small", *REGRESSION, *accumulating))
    assert not (tmp_path / "run").exists()


STALLED = ["callbacks=early_stopping", "callbacks.early_stopping.patience=1", "+callbacks.early_stopping.min_delta=1000"]
ENDS = {
    "epochs, the last without its validation": (["trainer.max_epochs=3", "trainer.check_val_every_n_epoch=2"], [(1, 8), (2, 12)]),
    "early stopping": (STALLED, [(0, 4), (1, 8)]),
    "early stopping between epochs": ([*STALLED, "trainer.val_check_interval=3"], [(0, 3), (1, 6)]),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("recipe", ["unet_small", "mugan_small"])
def test_whatever_ends_a_training_it_is_validated_and_kept_there(
    train_config: Config, tmp_path: Path, recipe: str, end: str
) -> None:
    overrides, validated = ENDS[end]
    result = train(train_config(f"model={recipe}", *RECIPES[recipe], *SHORT, *overrides))
    assert (result["status"], result["global_step"], steps_of(tmp_path / "run")) == ("finished", validated[-1][1], validated)
    last = state_of(tmp_path / "run")["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert last["total"]["ready"] == validated[-1][1]


def test_finished_shaping_is_validated_in_an_epoch_without_validation_too(train_config: Config, tmp_path: Path) -> None:
    shaped = [
        "model.shaping.patience=2",
        "model.shaping.min_delta=0.99",
    ]  # one adversarial epoch, a first of shaping, two stalled
    overrides = [*GAN, *REFINED, *shaped, *SHORT, "trainer.max_epochs=20", "trainer.check_val_every_n_epoch=3"]
    result = train(train_config("model=collaborative_gan_small", *overrides))
    assert (result["status"], result["epochs"], steps_of(tmp_path / "run")) == ("finished", 4, [(2, 12), (3, 16)])
