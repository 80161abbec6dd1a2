"""Every named sweep composes, all its jobs included, and is where and what it says."""

import itertools
import re
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_module
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from conf.compose import FOLDER, plain
from sweeps.extras import SWEEPS, missing_extra

NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
FILES = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SWEEPS.glob("*.yaml"))}
NEEDED = [
    pytest.param(name, marks=pytest.mark.skipif(missing_extra([f"sweep={name}"]) is not None, reason="needs the sweeps extra"))
    for name in FILES
]
PAGE = (FOLDER.parent / "docs" / "sweeps.md").read_text(encoding="utf-8")


def composed(name: str, *overrides: str, **options: Any) -> DictConfig:
    with initialize_config_module("conf"):
        return compose("train", overrides=[f"sweep={name}", *NAMES, *overrides], **options)


def values(key: str, text: str) -> list[str]:
    """Return what a sweep gives a key: every choice, or both ends of an interval."""
    override = OverridesParser.create().parse_overrides([f"{key}={text}"])[0]
    if override.is_interval_sweep():
        interval: Any = override.value()
        return [f"{key}={interval.start}", f"{key}={interval.end}"]
    if override.is_sweep_override():
        return [f"{key}={value}" for value in override.sweep_string_iterator()]
    return [f"{key}={text}"]


@pytest.mark.parametrize("name", NEEDED)
def test_every_job_of_every_sweep_composes(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    swept = [values(key, str(text)) for key, text in params.items()]
    groups = [choices for choices in swept if choices[0].split("=")[0] == "model"]
    for choice in itertools.product(*groups):
        others = [choices for choices in swept if choices not in groups]
        for number in range(max(map(len, others))):
            job = [choices[number % len(choices)] for choices in others]
            assert plain(composed(name, *choice, *job))


@pytest.mark.parametrize("name", FILES)
def test_sweep_has_a_folder_of_its_name_so_that_it_can_be_continued(name: str) -> None:
    assert yaml.safe_load(FILES[name])["hydra"]["sweep"]["dir"] == f"multirun/{name}"


@pytest.mark.parametrize("name", [name for name, text in FILES.items() if " jobs" in text])
def test_number_of_jobs_is_as_stated(name: str) -> None:
    params = yaml.safe_load(FILES[name])["hydra"]["sweeper"]["params"]
    count = 1
    for key, text in params.items():
        count *= len(values(key, str(text)))
    assert f": {count} jobs" in FILES[name]


def test_every_small_method_is_swept_over_seeds() -> None:
    files = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "model").glob("*_small.yaml")}
    methods = {*files, "conv_rnn"} - {"autoencoder_small"}  # small as it is, and no restorer
    assert set(yaml.safe_load(FILES["seeds"])["hydra"]["sweeper"]["params"]["model"].split(",")) == methods


def test_readme_names_every_sweep() -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith("| `sweep` |"))
    assert set(re.findall(r"`([a-z_]+)`", line)) == {"sweep", *FILES}
