"""Every argument of Lightning's trainer is a key here, or refused with what to use in its place; never both, never neither."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import pytorch_lightning as pl
from hydra import compose, initialize_config_module

from conf.left_out_keys import with_left_out_keys
from conf.schema.sentences import SchemaError
from conf.schema.trainer import INSTEAD, TRAINER
from conf.settings import TrainSettings, train_settings
from lightning_modules.commands.train import OURS, make_trainer

ARGUMENTS = sorted(inspect.signature(pl.Trainer).parameters)
VALUES: dict[str, Any] = {
    "accelerator": "cpu",
    "accumulate_grad_batches": 3,
    "benchmark": False,
    "check_val_every_n_epoch": 3,
    "deterministic": "warn",
    "detect_anomaly": True,
    "devices": 1,
    "enable_model_summary": False,
    "enable_progress_bar": False,
    "inference_mode": False,
    "limit_test_batches": 3,
    "limit_train_batches": 3,
    "limit_val_batches": 0.5,
    "log_every_n_steps": 3,
    "max_epochs": 3,
    "max_time": "00:00:01:00",
    "min_epochs": 2,
    "num_nodes": 1,
    "num_sanity_val_steps": 3,
    "precision": "32-true",
    "strategy": "auto",
    "sync_batchnorm": True,
    "use_distributed_sampler": False,
    "val_check_interval": 3,
}
"""A value of every key that Lightning's trainer is given, other than its default where that says something."""
SEEN_ELSEWHERE = {
    "accelerator",
    "devices",
    "enable_model_summary",
    "enable_progress_bar",
    "precision",
    "strategy",
    "use_distributed_sampler",
}
"""By names that Lightning gives no attribute of the same value."""


def settings(*overrides: str) -> TrainSettings:
    named = ["run_dir=x", "run_name=x", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        return train_settings(compose("train", overrides=["trainer=cpu", "logger=csv", *named, *overrides]))


def test_every_argument_of_lightning_is_a_key_or_refused_and_none_is_both() -> None:
    assert sorted({*TRAINER, *INSTEAD}) == ARGUMENTS
    assert {*TRAINER} & {*INSTEAD} == set()
    assert {*VALUES, *OURS} == {*TRAINER}


@pytest.mark.parametrize("argument", sorted(INSTEAD))
def test_refused_argument_is_one_sentence_with_what_to_use(argument: str) -> None:
    with pytest.raises(SchemaError) as refused:
        settings(*with_left_out_keys([f"trainer.{argument}=1"]))
    assert str(refused.value) == f"trainer.{argument}=1 is no key; {INSTEAD[argument]}"


@pytest.mark.parametrize("argument", sorted({*VALUES} - SEEN_ELSEWHERE))
def test_key_reaches_the_trainer(argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    init: Callable[..., None] = pl.Trainer.__init__

    def spy(self: pl.Trainer, **arguments: Any) -> None:
        given.update(arguments)
        init(self, **arguments)

    monkeypatch.setattr(pl.Trainer, "__init__", spy)
    value = VALUES[argument]
    written = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    made = make_trainer(settings(*with_left_out_keys([f"trainer.{argument}={written}"])).config, logger=False)
    assert given[argument] == value
    assert not {*OURS} & {*given}
    assert made.accumulate_grad_batches == (3 if argument == "accumulate_grad_batches" else 1)


def test_batches_between_validations_are_counted_over_all_epochs() -> None:
    by_batches = make_trainer(settings("trainer.val_check_interval=50").config, logger=False)
    assert (by_batches.val_check_interval, by_batches.check_val_every_n_epoch) == (50, None)
    by_share = make_trainer(settings("trainer.val_check_interval=0.5").config, logger=False)
    assert (by_share.val_check_interval, by_share.check_val_every_n_epoch) == (0.5, 1)


def test_length_in_steps_leaves_epochs_open_and_schedules_follow_it() -> None:
    cosine = "scheduler@model.scheduler=cosine"
    assert settings(cosine).config["model"]["scheduler"]["T_max"] == 20
    by_steps = settings(cosine, "trainer.max_steps=300").config
    assert (by_steps["trainer"]["max_epochs"], by_steps["model"]["scheduler"]["T_max"]) == (-1, 300)
    both = settings(cosine, "trainer.max_steps=300", "trainer.max_epochs=4").config
    assert (both["trainer"]["max_epochs"], both["model"]["scheduler"]["T_max"]) == (4, 300)
    own = settings(cosine, "trainer.max_steps=300", "model.scheduler.T_max=50").config
    assert own["model"]["scheduler"]["T_max"] == 50
    several = settings("model=mugan_small", "scheduler@model.schedulers.discriminator=cosine", "trainer.max_steps=300").config
    assert several["model"]["schedulers"]["discriminator"]["T_max"] == 300


@pytest.mark.parametrize(("given", "batches"), [("true", 1), ("3", 3)])
def test_trial_is_short_in_everything_and_writes_nowhere(given: str, batches: int) -> None:
    tried = settings(f"trainer.fast_dev_run={given}", "trainer.max_steps=100", "resume=auto").config
    limits = [tried["trainer"][f"limit_{part}_batches"] for part in ("train", "val", "test")]
    assert (limits, tried["test_trainer"]["limit_test_batches"]) == ([batches] * 3, batches)
    assert (tried["trainer"]["max_epochs"], tried["trainer"]["max_steps"], tried["trainer"]["num_sanity_val_steps"]) == (
        1,
        None,
        0,
    )
    assert (tried["logger"], tried["examples"], tried["resume"]) == (None, 0, None)


def test_batches_to_overfit_limit_training_and_validation() -> None:
    trainer = settings("trainer.overfit_batches=2").config["trainer"]
    assert (trainer["limit_train_batches"], trainer["limit_val_batches"], trainer["limit_test_batches"]) == (2, 2, None)
