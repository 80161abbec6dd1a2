"""What the tests share: a little music, and the real configuration shrunk to seconds."""

import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from hydra import compose, initialize_config_module
from lightning_fabric.accelerators.mps import MPSAccelerator

from conf.settings import EvaluateSettings, TrainSettings, evaluate_settings, train_settings
from tests.device_like_mps import device_like_mps

RATE_HZ = 4000
SPLITS = ("train",) * 6 + ("val",) * 2 + ("test",) * 3


def tone(seed: int, seconds: float = 2.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """Render a decaying chord over a noise floor, (T,) float64, peak below 0.5."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    chord = sum(np.sin(2 * np.pi * hz * time + rng.uniform(0, 6)) for hz in rng.uniform(100, 0.3 * rate_hz, 4))
    return 0.1 * chord * np.exp(-time) + 1e-4 * rng.standard_normal(time.size)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out on Windows what needs a POSIX system."""
    for item in items:
        if os.name != "posix" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="needs a POSIX system"))


@pytest.fixture
def without_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behave as if PyAV were not installed."""
    monkeypatch.setattr("datamodules.audio.suffixes.codecs_are_installed", lambda: False)


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of eleven short recordings with a manifest of splits."""
    folder = tmp_path_factory.mktemp("music")
    lines = ["file,split,group"]
    for number, split in enumerate(SPLITS):
        soundfile.write(folder / f"{number:02d}.wav", tone(number), RATE_HZ, subtype="FLOAT")
        lines.append(f"{number:02d}.wav,{split},piece{number}")
    (folder / "MANIFEST.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def tiny(music: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the overrides that shrink data and network, for scripts and composed configurations alike."""
    return [
        "data=folder",
        f"data.root={music}",
        f"data.cache_dir={tmp_path_factory.mktemp('cache')}",
        f"data.sample_rate={RATE_HZ}",
        "data.window_samples=512",
        "data.batch_size=4",
        "data.samples_per_epoch=16",
        "data.eval_seconds=1.0",
    ]


@pytest.fixture
def train_config(tiny: list[str], tmp_path: Path) -> Callable[..., TrainSettings]:
    """Return a function that gives the settings of a training from further overrides."""

    def make(*overrides: str, run: str = "run") -> TrainSettings:
        names = [f"run_name={run}", f"run_dir={tmp_path / run}", "choices.model=method", "choices.data=d", "choices.corruption=c"]
        quiet = ["trainer=cpu", "trainer.max_epochs=2", "trainer.enable_progress_bar=false", "logger=csv", "baselines=[]"]
        with initialize_config_module("conf"):
            return train_settings(compose("train", overrides=[*tiny, *names, *quiet, *overrides]))

    return make


@pytest.fixture
def evaluate_config(tiny: list[str], tmp_path: Path) -> Callable[..., EvaluateSettings]:
    """Return a function that gives the settings of an evaluation from further overrides."""

    def make(*overrides: str, run: str = "evaluation") -> EvaluateSettings:
        names = [f"run_name={run}", f"run_dir={tmp_path / run}", "choices.model=method", "choices.data=d", "choices.corruption=c"]
        with initialize_config_module("conf"):
            given = [*tiny, *names, "trainer.accelerator=cpu", "examples=1", *overrides]
            return evaluate_settings(compose("evaluate", overrides=given))

    return make


@pytest.fixture(scope="session")
def make_maestro() -> Callable[[Path, str], Path]:
    """Return a function that makes a folder shaped like MAESTRO v2 or v3, with four performances of two years."""

    def make(folder: Path, version: str) -> Path:
        lines = ["canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"]
        for number, split in enumerate(("train", "train", "validation", "test")):
            year = 2004 + 2 * (number % 2)
            name = f"{year}/{number}.wav"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(folder / name, tone(number, 3.0, 44100), 44100)
            lines.append(f"Composer,Piece {number},{split},{year},x.midi,{name},3.0")
        (folder / f"maestro-{version}.0.0.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    return make


@pytest.fixture
def device() -> Iterator[torch.device]:
    """Return a device that refuses what MPS refuses; tensors and modules are moved to it."""
    with device_like_mps() as place:
        yield place


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch, device: torch.device) -> Iterator[torch.device]:
    """Let Lightning, which remembers what it found, and the commands find MPS, which is this device."""
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(platform, "processor", lambda: "arm")
    monkeypatch.setattr(torch.mps, "synchronize", lambda: None)
    MPSAccelerator.is_available.cache_clear()
    yield device
    MPSAccelerator.is_available.cache_clear()
