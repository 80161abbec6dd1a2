"""Wall seconds of one sweep with one worker and with two, through Ray.

    python benchmarks/sweep_throughput.py [jobs] [epochs]

The same trainings of `unet_small` on synthetic music, one thread each, with as many CPUs given to Ray as there are workers, so
that the others wait in its queue. What is timed is the whole command, with Ray's own start. The data are rendered and cached by a
job before. The ratio is of use on a machine that has a free core for every worker.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = (1, 2)
SETTINGS = ["model=unet_small", "trainer=cpu", "logger=csv", "baselines=[]", "examples=1", "data.samples_per_epoch=512"]


def main(jobs: int, epochs: int) -> None:
    print(f"{'workers':>7} {'wall s':>8} {'s per job':>10} {'ratio':>6}   {jobs} jobs of {epochs} epochs, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        settings = [*SETTINGS, f"trainer.max_epochs={epochs}", f"data.cache_dir={folder}/cache"]
        wall_seconds([*settings, "trainer.max_epochs=1", f"hydra.sweep.dir={folder}/before"])
        alone = 0.0
        for workers in WORKERS:
            place = [f"hydra.sweep.dir={folder}/{workers}", f"seed=range({jobs})"]
            queue = ["hydra/launcher=ray", f"+hydra.launcher.ray.init.num_cpus={workers}"]
            seconds = wall_seconds([*settings, *place, *queue])
            alone = alone or seconds
            print(f"{workers:7} {seconds:8.1f} {seconds / jobs:10.1f} {alone / seconds:6.2f}", flush=True)


def wall_seconds(overrides: list[str]) -> float:
    """Return how long a sweep takes from its command line to its end."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    command = [sys.executable, "train.py", "-m", *overrides]
    ended = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if ended.returncode != 0:
        raise SystemExit(ended.stdout)
    return time.perf_counter() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("jobs", nargs="?", type=int, default=6)
    parser.add_argument("epochs", nargs="?", type=int, default=5)
    options = parser.parse_args()
    main(options.jobs, options.epochs)
