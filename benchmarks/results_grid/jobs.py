"""The commands that make the grid, where each writes, and whether it is done: a grid that was killed goes on with the next."""

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results_grid.rows import EXPERIMENTS, OF_METHOD, Experiment

ROOT = Path(__file__).resolve().parents[2]
QUIET = ("logger=null", "examples=0", "test_probes=[]", "test_perceptual_pairs=0", "trainer.enable_progress_bar=false")
CONTROLS = "controls"
"""Folder of the evaluation of an experiment's methods without training."""


@dataclass(frozen=True)
class Trial:
    """A grid that is only tried: two steps, two pairs; its folder holds nothing else."""

    steps: int = 2
    train: tuple[str, ...] = ("trainer.limit_val_batches=1",)
    evaluate: tuple[str, ...] = ("trainer.limit_test_batches=2",)


@dataclass(frozen=True)
class Place:
    """Where the grid finds audio and puts its work; `trial` if it is only tried."""

    audio: Path
    work: Path
    trial: Trial | None = None

    def run(self, name: str, method: str, seed: int) -> Path:
        """Return the folder of a training."""
        return self.work / "runs" / f"{name}-{method}-seed{seed}"

    def evaluation(self, name: str, method: str, seed: int | None = None) -> Path:
        """Return the folder of the evaluation of a training, or of an experiment's controls."""
        return self.work / "evaluations" / (f"{name}-{method}" if seed is None else f"{name}-{method}-seed{seed}")


@dataclass(frozen=True)
class Job:
    """A command of the project; `conditions` is how many an evaluation has to have come through, None of a training."""

    folder: Path
    arguments: tuple[str, ...]
    conditions: int | None = None

    @property
    def command(self) -> list[str]:
        """What is run, in the root of the project."""
        return [sys.executable, *self.arguments]

    def is_done(self) -> bool:
        """Say whether a job came to its end without a problem."""
        result = read(self.folder / "result.json")
        if result.get("status") != "finished" or result.get("problems"):
            return False
        return self.conditions is None or len(whole_conditions(self.folder)) == self.conditions


def read(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds, nothing if there is none or it was not written to its end."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def whole_conditions(folder: Path) -> list[dict[str, Any]]:
    """Return the conditions of an evaluation that did not fail."""
    return [found for found in read(folder / "conditions.json").get("conditions", []) if "failure" not in found]


def training(name: str, method: str, seed: int, place: Place) -> Job:
    """Return the training of a method in an experiment."""
    experiment, folder = EXPERIMENTS[name], place.run(name, method, seed)
    steps = place.trial.steps if place.trial else experiment.steps[method]
    own = (f"model={method}", *OF_METHOD[method], *(place.trial.train if place.trial else ()))
    length = (
        "trainer=cpu",
        f"trainer.max_steps={steps}",
        "trainer.max_epochs=null",
        "trainer.max_time=null",
        "trainer.limit_test_batches=1",
    )
    return Job(
        folder,
        ("train.py", f"experiment={name}", *own, f"seed={seed}", *_shared(experiment, place, folder), *length, "baselines=[]",
         "resume=auto"),
    )  # fmt: skip


def evaluation(name: str, place: Place, method: str | None = None, seed: int = 0) -> Job:
    """Return the evaluation of a training, or without a method that of an experiment's controls, in its conditions."""
    experiment = EXPERIMENTS[name]
    if method is None:
        first, *others = experiment.controls
        folder, what = place.evaluation(name, CONTROLS), (f"model={first}", f"baselines=[{','.join(others)}]")
    else:
        folder = place.evaluation(name, method, seed)
        what = (f"checkpoint={place.run(name, method, seed)}", "baselines=[]")
    data = ("data=folder", "data.sample_rate=16000", f"corruption={experiment.corruption[0]}", *experiment.corruption[1:])
    tried = place.trial.evaluate if place.trial else ()
    arguments = (*what, *data, *_shared(experiment, place, folder), *experiment.test, "trainer.accelerator=cpu", *tried)
    return Job(folder, ("evaluate.py", *arguments, f"conditions={experiment.conditions}"), count_of(experiment.conditions))


def _shared(experiment: Experiment, place: Place, folder: Path) -> list[str]:
    return [
        *experiment.data_keys(place.audio), f"data.cache_dir={place.work / 'cache'}", *QUIET, f"hydra.run.dir={folder}"
    ]  # fmt: skip


def count_of(conditions: str) -> int:
    """Return how many combinations there are.

    >>> count_of("{colors:[white,pink],snr_db:[0,5,10]}")
    6
    """
    return math.prod(values.partition("]")[0].count(",") + 1 for values in conditions.split("[")[1:])


def jobs_of(names: Iterable[str], methods: Sequence[str] | None, seeds: Sequence[int], place: Place) -> list[Job]:
    """Return all jobs: first the controls, then seed by seed each training with its evaluation, so that rows fill evenly."""
    rows = [(name, method) for name in names for method in EXPERIMENTS[name].steps if methods is None or method in methods]
    controls = [evaluation(name, place) for name in dict.fromkeys(name for name, _ in rows)]
    learned = [
        job
        for seed in seeds
        for name, method in rows
        for job in (training(name, method, seed, place), evaluation(name, place, method, seed))
    ]
    return [*controls, *learned]


def environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which a command works on one core."""
    return {**base, "OMP_NUM_THREADS": "1"}


def run(job: Job) -> int:
    """Run a job, its output added to a `.log` beside its folder, and return its exit code.

    An interruption asks the command to end, so that a training keeps what it has, and is raised again then.
    """
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    with job.folder.with_name(f"{job.folder.name}.log").open("a", encoding="utf-8") as log:
        command = subprocess.Popen(
            job.command, cwd=ROOT, env=environment(os.environ), stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        try:
            return command.wait()
        except KeyboardInterrupt:
            command.terminate()
            command.wait()
            raise


def do(jobs: Sequence[Job], keep: Callable[[Job], None] = lambda job: None) -> list[Job]:
    """Run jobs one after the other, but for what another process did meanwhile, and return those that failed.

    Args:
        jobs: to run.
        keep: is given each that came to its end.
    """
    failed = []
    for number, job in enumerate(jobs, start=1):
        if job.is_done():
            continue
        start = time.monotonic()
        code = run(job)
        if code or not job.is_done():
            failed.append(job)
        else:
            keep(job)
        ended = f"failed ({code}), see {job.folder}.log" if job in failed else "done"
        print(f"{number}/{len(jobs)} {job.folder.name}: {ended}, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return failed
