"""Descriptions of corruptions are part of every evaluation's manifest hash: they stay what they were when results were made."""

import hashlib

import pytest
from hydra import compose, initialize_config_module

from conf.compose import FOLDER, instantiate
from datamodules.describe import describe

STEPS = "corruption.steps='sample 5000 10000,whitenoise 0 0.1'"
BEFORE_THE_MOVES = {
    "clipping": "a8e62adc13cf",
    "codec": "c3602cb4eb34",
    "dequantize": "bf0829b323e5",
    "dereverb": "6dc06c62de82",
    "impulses": "943a1e1a4f17",
    "low_pass": "496804438c85",
    "noise": "e14fe47a24d7",
    "pipeline": "1834f0773d36",
    "restore": "c07f63adb937",
    "super_resolution": "816967021fc5",
}


@pytest.mark.parametrize("name", BEFORE_THE_MOVES)
def test_description_is_what_it_was(name: str) -> None:
    assert (FOLDER / "corruption" / f"{name}.yaml").is_file()
    with initialize_config_module("conf"):
        config = compose("train", overrides=[f"corruption={name}", *([STEPS] if name == "pipeline" else [])])
    assert hashlib.sha256(describe(instantiate(config.corruption)).encode()).hexdigest()[:12] == BEFORE_THE_MOVES[name]
