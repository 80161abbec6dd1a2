import inspect
from pathlib import Path

import hydra
import pytest
from omegaconf import OmegaConf

from datamodules.restoration import RestorationDataModule

FOLDER = Path(__file__).parents[2] / "conf" / "data"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ROOTS = {"paired": ["clean_root", "noisy_root"], "aurora": ["root", "speech_root", "noise_root"]}
"""Keys of folders, of data sets that have others than `data.root`."""


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
    data = compose(name, "data.sample_rate=16000", "data.max_recordings.train=3", "data.cache=false").data
    assert (data.sample_rate, data.max_recordings.train, data.cache) == (16000, 3, False)


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_taken_by_the_source_or_the_data_module(name, tmp_path):
    from conf.compose import instantiate

    config = compose(name, *(f"data.{key}={tmp_path}" for key in ROOTS.get(name, ["root"])))
    data = OmegaConf.create({"data": config.data, "seed": 0, "corruption": config.corruption}).data
    assert isinstance(instantiate(data), RestorationDataModule)


def test_maestro_takes_years():
    assert list(compose("maestro", "data.years=[2004,2006]").data.years) == [2004, 2006]


def test_pairs_are_left_as_they_were_recorded_unless_a_corruption_is_chosen():
    identity = "datamodules.corruptions.pipeline.Identity"
    assert {name for name in NAMES if compose(name).corruption._target_ == identity} == {"paired", "voicebank", "spear", "aurora"}
    assert compose("paired", "corruption=noise").corruption._target_ == compose("folder").corruption._target_ != identity


def test_root_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("AUDIO_DATA_ROOT", "/elsewhere")
    assert compose("folder").data.root == "/elsewhere"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("[/a,/b]", ["/a", "/b"]),
        ("['/a, b','/c']", ["/a, b", "/c"]),
        (r"[C:\music,D:\more music]", [r"C:\music", r"D:\more music"]),
    ],
)
def test_several_folders_are_written_as_a_list(written, read):
    from conf.schema.data import SOURCES
    from conf.schema.kinds import Place

    data = compose("folder", f"data.root={written}", "data.root_weights=[2,1]").data
    assert list(data.root) == read
    SOURCES["datamodules.sources.folder.FolderSource"]["root"].kind.check(read, Place("data.root"))
