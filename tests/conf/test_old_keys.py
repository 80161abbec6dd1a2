"""Keys under their old names."""

import subprocess
import sys
from pathlib import Path

from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from conf.old_keys import OLD_KEYS, with_present_keys

ROOT = Path(__file__).parents[2]


def test_old_keys_lead_to_keys_that_there_are() -> None:
    with initialize_config_module("conf"):
        config = compose("train", overrides=["model=collaborative_gan_small"])
    for key in OLD_KEYS.values():
        assert OmegaConf.select(config, key) is not None


def test_other_arguments_stay_as_they_are() -> None:
    given = ["-m", "model=unet", "data.root=a=b", "~model.shaping", "model.shaping.least_gain_other=1"]
    assert with_present_keys(given) == (given, [])


def test_script_takes_an_old_key_and_tells_the_new_one() -> None:
    command = ["train.py", "model=collaborative_gan_small", "model.shaping.least_gain=0.25", "--cfg", "job", "--package", "model"]
    ended = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0
    assert "min_delta: 0.25" in ended.stdout
    assert ended.stderr.strip() == "note: model.shaping.least_gain is now model.shaping.min_delta"
