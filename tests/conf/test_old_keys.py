"""Keys under their old names."""

import subprocess
import sys
from pathlib import Path

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from conf.old_keys import OLD_KEYS, check_groups_chosen, with_present_keys
from conf.settings import train_settings

ROOT = Path(__file__).parents[2]


def test_old_keys_lead_to_keys_that_there_are() -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=["model=collaborative_gan_small", "callbacks=early_stopping"])
    for key in OLD_KEYS.values():
        parent, _, name = key.rpartition(".")
        assert name in OmegaConf.select(config, parent)


def test_other_arguments_stay_as_they_are() -> None:
    given = ["-m", "model=unet", "data.root=a=b", "~model.shaping", "model.shaping.least_gain_other=1"]
    assert with_present_keys(given) == (given, [])


@pytest.mark.parametrize(
    ("given", "present"),
    [
        (["early_stopping_patience=3"], ["callbacks.early_stopping.patience=3", "callbacks=[early_stopping]"]),
        (["early_stopping_patience=null", "seed=1"], ["seed=1"]),
        (
            ["-m", "callbacks=device_stats", "early_stopping_patience=2,5"],
            ["-m", "callbacks.early_stopping.patience=2,5", "callbacks=[device_stats,early_stopping]"],
        ),
        (
            ["callbacks=[early_stopping,profiler]", "early_stopping_patience=2"],
            ["callbacks.early_stopping.patience=2", "callbacks=[profiler,early_stopping]"],
        ),
    ],
)
def test_old_key_chooses_what_it_belongs_to_now(given: list[str], present: list[str]) -> None:
    told = "early_stopping_patience is now callbacks=early_stopping callbacks.early_stopping.patience"
    assert with_present_keys(given) == (present, [told])


def test_old_key_in_a_file_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="^early_stopping_patience=3: early_stopping_patience is now callbacks=early_stopping"):
        check_groups_chosen({"early_stopping_patience": 3})
    check_groups_chosen({"early_stopping_patience": None})


def test_script_takes_an_old_key_and_tells_the_new_one() -> None:
    command = ["train.py", "model=collaborative_gan_small", "model.shaping.least_gain=0.25", "--cfg", "job", "--package", "model"]
    ended = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0
    assert "min_delta: 0.25" in ended.stdout
    assert ended.stderr.strip() == "note: model.shaping.least_gain is now model.shaping.min_delta"


def test_old_key_in_the_middle_of_a_configuration_works_too() -> None:
    names = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    given = ["model=collaborative_gan_small", "+model.shaping={least_gain: 0.25}", *names]
    with initialize_config_module("conf"):
        shaping = train_settings(compose("train", overrides=given)).config["model"]["shaping"]
    assert shaping["min_delta"] == 0.25
    assert "least_gain" not in shaping
