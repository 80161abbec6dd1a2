import inspect
from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

from datamodules.restoration import RestorationDataModule

FOLDER = Path(__file__).parents[2] / "conf" / "data"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def compose(name, *overrides):
    with hydra.initialize_config_dir(str(FOLDER.parent)):
        return hydra.compose("train", [f"data={name}", *overrides])


def test_shared_values_are_the_defaults_of_the_data_module(monkeypatch):
    monkeypatch.delenv("CLARION_CACHE", raising=False)
    base = compose("folder").data
    for name, parameter in inspect.signature(RestorationDataModule).parameters.items():
        if name not in {"seed", "max_recordings"} and parameter.default is not inspect.Parameter.empty:
            assert base[name] == parameter.default, name
    assert set(base.max_recordings.values()) == {None}


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_takes_the_common_keys(name):
    data = compose(name, "data.root=/somewhere", "data.sample_rate=16000", "data.max_recordings.train=3", "data.cache=false").data
    assert (data.root, data.sample_rate, data.max_recordings.train, data.cache) == ("/somewhere", 16000, 3, False)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_taken_by_the_source_or_the_data_module(name, tmp_path):
    from conf.compose import instantiate

    config = compose(name, f"data.root={tmp_path}")
    data = OmegaConf.create({"data": config.data, "seed": 0, "corruption": config.corruption}).data
    assert isinstance(instantiate(data), RestorationDataModule)


def test_maestro_takes_years():
    assert list(compose("maestro", "data.years=[2004,2006]").data.years) == [2004, 2006]


def test_root_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("AUDIO_DATA_ROOT", "/elsewhere")
    assert compose("folder").data.root == "/elsewhere"
