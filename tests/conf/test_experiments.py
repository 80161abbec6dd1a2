"""Experiments train on ranges, and the command in their first lines tests what they trained on, condition by condition."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from conf.compose import FOLDER, plain
from conf.schema.check import check_evaluate
from conf.schema.conditions import conditions_of, is_seen
from lightning_modules.runs.shipped import shipped_names

NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
FILES = sorted((FOLDER / "experiment").glob("*.yaml"))
OLDER = [path for path in FILES if "# An older protocol" in path.read_text(encoding="utf-8")]
SHIPPED = [path for path in FILES if "license_ids:" in path.read_text(encoding="utf-8")]
PRESENT = [path for path in FILES if path not in (*OLDER, *SHIPPED)]
RANGES = {"denoise": {"snr_db": [0, 40]}, "extend": {"low_rate_hz": [6000, 32_000]}}
BY_DESIGN = ("none", "simulated")  # What an evaluation adds that the training leaves out: no filter, and other rooms.


def composed(name: str, overrides: list[str]) -> dict[str, Any]:
    with initialize_config_module("conf"):
        config: dict[str, Any] = plain(compose(name, overrides=[*overrides, *NAMES]))
    return config


def command_of(path: Path) -> list[str]:
    """Return the arguments of the evaluation that the first lines of an experiment show; a backslash continues it."""
    comment = re.sub(r" \\\n# +", " ", path.read_text(encoding="utf-8"))
    (command,) = re.findall(r"^# python evaluate\.py (.*)$", comment, flags=re.MULTILINE)
    return shlex.split(command)


def test_single_levels_are_older_protocols() -> None:
    assert [path.stem for path in OLDER] == [
        "denoise_music_5db",
        "piano_5_to_10khz",
        "piano_5_to_10khz_published",
        "piano_denoise_10khz",
        "piano_dereverb_10khz",
        "progressive_denoise_pink",
        "progressive_denoise_white",
        "sine_inverse_quantization",
        "stereo_autoencoder",
        "super_resolve_piano_mugan_published",
    ]


@pytest.mark.parametrize("path", PRESENT, ids=lambda path: path.stem)
def test_shown_command_tests_apart_what_was_trained_together(path: Path) -> None:
    given = [argument.replace("=DIR", "=data") for argument in command_of(path)]
    evaluation = composed("evaluate", given)
    check_evaluate(evaluation)
    trained = composed("train", [f"experiment={path.stem}", "data.root=data", *_roots(given)])["corruption"]
    conditions = conditions_of(evaluation)
    seen = [is_seen(condition.corruption, trained) for condition in conditions]
    added = [any(value in BY_DESIGN for value in condition.values.values()) for condition in conditions]
    assert sum(seen) >= 1 and len(conditions) >= 2
    assert seen == [not one for one in added]


def is_wide(value: Any) -> bool:
    """Say whether several values are drawn from, be it deep inside."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return (isinstance(value, list) and len(value) > 1) or any(map(is_wide, inner))


def _roots(given: list[str]) -> list[str]:
    return [argument for argument in given if re.match(r"corruption\.\w+_root=", argument)]


@pytest.mark.parametrize("path", PRESENT, ids=lambda path: path.stem)
def test_training_draws_from_a_range_or_from_many_kinds(path: Path) -> None:
    corruption = composed("train", [f"experiment={path.stem}"])["corruption"]
    listed = [conditions for conditions in command_of(path) if conditions.startswith("conditions=")]
    keys = re.findall(r"(\w+):\[", listed[0])
    wide = {key for key in keys if is_wide(corruption[key])}
    assert wide or corruption["responses"] == ["recorded"], f"{path.name} trains on one value of {keys}"


def test_experiments_of_shipped_models_are_named_after_them() -> None:
    assert set(shipped_names()) <= {path.stem for path in SHIPPED}


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_model_was_trained_on_free_recordings_at_full_band_from_much_damage_to_none(path: Path) -> None:
    config = composed("train", [f"experiment={path.stem}"])
    assert config["data"]["license_ids"] == ["cc0", "cc-by", "public-domain", "apache-2.0", "mit"]
    assert config["data"]["sample_rate"] in (44_100, 48_000)
    damage, codec = config["corruption"]["steps"]
    assert damage["probability"] < 1 and codec["corruption"]["codecs"] == ["mp3"]
    assert RANGES[path.stem.split("_")[0]].items() <= damage["corruption"].items()
