"""The demo: a word before what takes seconds, and sizes that end in minutes."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
from hydra import compose, initialize_config_module

from conf.settings import train_settings
from datamodules.audio.io import write

ROOT = Path(__file__).parent.parent
WATCHED = """
import builtins, os, runpy, sys

def first(line, **_):
    os.write(1, f"{line} torch: {'torch' in sys.modules}".encode())
    os._exit(0)

builtins.print = first
sys.argv = ["train.py", "seed=3", *sys.argv[1:]]
runpy.run_path("train.py", run_name="__main__")
"""


def test_first_line_comes_before_pytorch(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHED, f"hydra.run.dir={tmp_path}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert ended.stdout == "training unet_small on synthetic against noise, seed 3; loading PyTorch ... torch: False"


def test_demo_ends_with_a_shipped_model_and_a_picture(tmp_path: Path) -> None:
    (line,) = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "restore.py" in line]
    for name in ("a", "b"):
        make_run(tmp_path / "runs" / name / "examples")
    script = line.strip().replace("$(BIN)/python restore.py", f"{sys.executable} {ROOT / 'restore.py'}").replace("$$", "$")
    ended = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert "drew restored/demo/0000_corrupted.flac.png" in ended.stdout
    assert (tmp_path / "restored" / "demo" / "0000_corrupted.flac.png").is_file()


def make_run(folder: Path) -> None:
    """Leave what a run leaves of its first test pair."""
    folder.mkdir(parents=True)
    time = np.arange(16_000) / 16_000
    write(folder / "0000_corrupted.flac", 0.1 * np.sin(2 * np.pi * 440 * time)[None], 16_000)


def test_demo_is_short() -> None:
    """320 steps and 24 pairs were 200 CPU seconds; four minutes of two cores are 480."""
    (line,) = [line for line in (ROOT / "Makefile").read_text(encoding="utf-8").splitlines() if "train.py" in line]
    given = [word for word in shlex.split(line) if "=" in word]
    names = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
    with initialize_config_module("conf"):
        config = train_settings(compose("train", [*given, *names])).config
    data = config["data"]
    assert config["trainer"]["max_epochs"] * data["samples_per_epoch"] <= 320 * 16
    assert 2 * data["source"].get("recordings", data["recordings"]) / 10 * data["eval_windows"] <= 24
