"""No experiment's corruption keys reach another corruption that is chosen beside it; what the user says of its keys holds."""

from typing import Any

import pytest
from hydra import compose, initialize_config_module
from omegaconf import OmegaConf

from conf.compose import FOLDER, plain
from conf.own_corruption import with_own_corruption
from conf.schema.corruption import CORRUPTION
from conf.schema.kinds import Place

EXPERIMENTS = sorted(path.stem for path in (FOLDER / "experiment").glob("*.yaml"))
CORRUPTIONS = ["amplifier", "dereverb", "dequantize", "noise", "pipeline", "restore", "super_resolution"]
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]


def composed(*given: str) -> dict[str, Any]:
    with initialize_config_module("conf"):
        config: dict[str, Any] = plain(compose("train", overrides=with_own_corruption([*given, *NAMES])))
    return config


def of_file(name: str) -> dict[str, Any]:
    return plain(OmegaConf.create({"corruption": OmegaConf.load(FOLDER / "corruption" / f"{name}.yaml")}).corruption)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_other_corruption_is_that_of_its_file(experiment: str) -> None:
    own = OmegaConf.load(FOLDER / "experiment" / f"{experiment}.yaml").defaults
    (name,) = [entry["override /corruption"] for entry in own if "override /corruption" in entry]
    others = [corruption for corruption in CORRUPTIONS if corruption != name]
    for corruption in others:
        config = composed(f"experiment={experiment}", f"corruption={corruption}", "data.root=data")
        assert config["corruption"] == of_file(corruption)
        CORRUPTION.check(config["corruption"], Place("corruption"))
    assert len(others) >= 6


def test_own_corruption_keeps_the_keys_of_the_experiment() -> None:
    alone = composed("experiment=denoise_music_16khz")["corruption"]
    assert alone == composed("experiment=denoise_music_16khz", "corruption=noise")["corruption"]
    assert (alone["colors"], alone["snr_db"]) == (["white", "pink"], [0, 10])


def test_keys_that_the_user_gives_hold() -> None:
    given = composed("corruption.snr_db=7", "experiment=denoise_music_16khz", "corruption=amplifier", "corruption.hiss=0.5")[
        "corruption"
    ]
    assert given == of_file("amplifier") | {"snr_db": 7, "hiss": 0.5}


def test_last_choice_counts() -> None:
    given = composed("corruption=noise", "experiment=denoise_music_16khz", "corruption=impulses")["corruption"]
    assert given == of_file("impulses")


@pytest.mark.parametrize(
    "arguments",
    [
        ["corruption=dereverb"],
        ["experiment=denoise_music_16khz"],
        ["experiment=denoise_music_16khz", "corruption=noise,dereverb"],
        ["-m"],
    ],
)
def test_other_command_lines_stay(arguments: list[str]) -> None:
    assert with_own_corruption(arguments) == arguments
