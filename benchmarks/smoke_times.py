"""Seconds that `trainer=smoke` takes after imports, for every method that trains, published sizes included.

    python benchmarks/smoke_times.py [model ...]

Each method in a process of its own: on the wall, and of processors (user and system). The default synthetic music is rendered
before the first of them.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hydra import compose, initialize_config_module
from hydra.utils import get_class

from conf.compose import group_files, untrained_methods
from conf.settings import train_settings
from lightning_modules.commands.train import train
from lightning_modules.runs.end import exit_code


def main(models: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        print(f"{'model':24} {'wall s':>7} {'CPU s':>7}", flush=True)
        for number, model in enumerate([models[0], *models]):  # the first is repeated, as it renders the music
            command = [sys.executable, __file__, "--one", model, f"{folder}/{number}", f"{folder}/cache"]
            ended = subprocess.run(command, capture_output=True, text=True)
            if ended.returncode:
                sys.exit(f"{model}: {ended.stderr}")
            if number:
                print(ended.stdout.splitlines()[-1], flush=True)


def measure(model: str, run: str, cache: str) -> int:
    """Train one method in this process, print its row last, and return the exit code of the run."""
    settings = [f"choices.model={model}", "choices.data=synthetic", "choices.corruption=noise"]
    settings += ["run_name=smoke", f"run_dir={run}", f"model={model}", f"data.cache_dir={cache}", "trainer=smoke", "logger=csv"]
    with initialize_config_module("conf"):
        settings.append(f"data.channels={channels_of(model)}")
        started, before = time.perf_counter(), os.times()
        result = train(train_settings(compose("train", overrides=settings)))
    wall, after = time.perf_counter() - started, os.times()
    print(f"{model:24} {wall:7.1f} {after.user + after.system - before.user - before.system:7.1f}")
    return exit_code(result)


def channels_of(model: str) -> int:
    """Return how many channels the network of a method takes, 1 if it takes any."""
    network = compose("train", overrides=[f"model={model}"]).model.net
    return getattr(get_class(network._target_), "channels", None) or 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="model")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.exit(measure(*options.one))
    main(options.models or [name for name in sorted(group_files("model")) if name not in untrained_methods()])
