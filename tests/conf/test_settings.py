"""The configuration as plain values: resolved once, checked once, and never changed in place."""

from copy import deepcopy
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import DictConfig, OmegaConf

from conf.compose import create, save
from conf.implied import DEFAULT_EPOCHS
from conf.settings import evaluate_settings, train_settings

NAMES = ["run_name=a", "run_dir=there/a", "choices.model=m", "choices.data=d", "choices.corruption=c"]


def composed(script: str, *overrides: str) -> DictConfig:
    with initialize_config_module("conf"):
        return compose(script, overrides=[*NAMES, *overrides])


def test_configuration_stays_as_it_was_composed() -> None:
    cfg = composed("train")
    before = deepcopy(cfg)
    settings = train_settings(cfg)
    settings.config_with({"run_dir": "here", "run_id": "1234"})
    assert cfg == before
    assert cfg.trainer.max_epochs is None
    assert settings.config["trainer"]["max_epochs"] == DEFAULT_EPOCHS


def test_what_refers_to_a_value_follows_it() -> None:
    settings = train_settings(composed("train", "logger=wandb"))
    told = settings.config_with({"run_dir": "here", "run_id": "1234"})
    assert (told["logger"]["wandb"]["save_dir"], told["logger"]["wandb"]["id"]) == ("here", "1234")
    assert (settings.config["logger"]["wandb"]["save_dir"], settings.config["logger"]["wandb"]["id"]) == ("there/a", None)
    evaluated = evaluate_settings(composed("evaluate", "model=sinc")).config_with({"data.sample_rate": 8000})
    assert evaluated["model"]["sample_rate"] == 8000


def test_default_length_reaches_what_refers_to_it_and_a_given_one_stays() -> None:
    cosine = "scheduler@model.scheduler=cosine"
    assert train_settings(composed("train", cosine)).config["model"]["scheduler"]["T_max"] == DEFAULT_EPOCHS
    assert train_settings(composed("train", cosine, "trainer.max_epochs=3")).config["model"]["scheduler"]["T_max"] == 3
    timed = train_settings(composed("train", cosine, "trainer.max_time=00:00:01:00"))
    assert (timed.config["trainer"]["max_epochs"], timed.config["model"]["scheduler"]["T_max"]) == (None, 60)
    both = train_settings(composed("train", cosine, "trainer.max_time=00:00:01:00", "trainer.max_epochs=3"))
    assert (both.config["trainer"]["max_epochs"], both.config["model"]["scheduler"]["T_max"]) == (3, 3)


def test_the_time_in_a_name_is_told_once() -> None:
    cfg = composed("train")
    ticks = iter(range(100))
    OmegaConf.register_resolver("tick", lambda: str(next(ticks)), use_cache=True)
    try:
        cfg.group = "${tick:}"
        settings = train_settings(cfg)
        assert settings.config["group"] == settings.config_with({"run_id": "1"})["group"]
    finally:
        OmegaConf.clear_resolver("tick")


def test_values_are_plain_and_those_of_the_configuration() -> None:
    settings = train_settings(composed("train", "seed=7", "resume=auto", "baselines=[sinc]"))
    assert (settings.seed, settings.resume, settings.baselines) == (7, "auto", ["sinc"])
    assert settings.run_dir == Path("there/a")
    assert type(settings.config["data"]) is dict and type(settings.baselines) is list


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["monitor=val/snr"], "^monitor=val/snr must be val/snr_db, .*; did you mean val/snr_db"),
        (["trainer.limit_val_batches=0"], "trainer.limit_val_batches=0"),
    ],
)
def test_mistake_is_told_before_anything_is_made(overrides: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        train_settings(composed("train", *overrides))


def test_resolved_value_is_not_resolved_again(tmp_path: Path) -> None:
    settings = train_settings(composed("train", "data=folder", r"data.root='/a/\${b}'"))
    assert create(settings.config, "data") is not None
    save(settings.config, tmp_path / "config.yaml")
    assert "  root: /a/${b}\n" in (tmp_path / "config.yaml").read_text(encoding="utf-8")


def test_name_that_is_a_number_is_a_name() -> None:
    config = train_settings(composed("train", "run_name=5", "group=2024")).config
    assert (config["run_name"], config["group"]) == ("5", "2024")
