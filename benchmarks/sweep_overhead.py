"""Seconds that each job of a sweep costs beside its training and test.

    python benchmarks/sweep_overhead.py [jobs]

Wall time of a sweep of small trainings (`trainer=smoke` on synthetic music) divided by its jobs, against the same trainings one
after the other inside a process that is warm. The difference is what a process of its own costs: Python, imports, W&B's service.
The data are rendered and cached beforehand.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hydra import compose, initialize_config_module

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from conf.settings import train_settings
from lightning_modules.commands.train import train

SETTINGS = ["trainer=smoke", "data.recordings=12", "data.seconds=4.0", "baselines=[]", "examples=1"]
NAMES = ["choices.model=unet_small", "choices.data=synthetic", "choices.corruption=noise"]


def main(jobs: int) -> None:
    print(f"{'logger':8} {'s per job':>9} {'warm process':>13} {'overhead':>9}   CPU s: the same   {jobs} jobs of trainer=smoke")
    for logger in ("csv", "wandb"):
        with tempfile.TemporaryDirectory() as folder:
            settings = [*SETTINGS, f"logger={logger}", f"data.cache_dir={folder}/cache"]
            warm = in_this_process(settings, Path(folder), jobs)
            own = as_sweep(settings, Path(folder), jobs)
        walls, cpus = zip(own, warm, strict=True)
        row = [f"{own:9.2f} {warm:13.2f} {own - warm:9.2f}" for own, warm in (walls, cpus)]
        print(f"{logger:8} {row[0]}   {row[1]}", flush=True)


def clocks() -> tuple[float, float]:
    """Return the seconds on the wall, and those of processors for this process and those it waited for."""
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def per_job(started: tuple[float, float], jobs: int) -> tuple[float, float]:
    """Return both clocks' seconds since then, per job."""
    now = clocks()
    return (now[0] - started[0]) / jobs, (now[1] - started[1]) / jobs


def in_this_process(settings: list[str], folder: Path, jobs: int) -> tuple[float, float]:
    """Return the seconds per training once everything is imported, and the data are there."""
    started = clocks()
    for number in range(-1, jobs):
        if number == 0:
            started = clocks()
        names = [*NAMES, f"run_name=warm{number}", f"run_dir={folder}/warm/{number}", f"seed={max(number, 0)}"]
        with initialize_config_module("conf"):
            train(train_settings(compose("train", overrides=[*settings, *names])))
    return per_job(started, jobs)


def as_sweep(settings: list[str], folder: Path, jobs: int) -> tuple[float, float]:
    """Return the seconds per job of a sweep over seeds."""
    swept = [f"seed=range({jobs})", f"hydra.sweep.dir={folder}/sweep"]
    started = clocks()
    subprocess.run([sys.executable, "train.py", "-m", *settings, *swept], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return per_job(started, jobs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="?", type=int, default=4)
    options = parser.parse_args()
    main(options.jobs)
