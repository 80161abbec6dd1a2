"""What a sweep would do, and need of the disk and of the clock, told in place of running it."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from conf.compose import quiet_lightning
from conf.settings import TrainSettings, train_settings
from machine.console import printable
from sweeps.forecast import queue_seconds, seconds_of_training, workers_of
from sweeps.isolation import identity_of
from sweeps.records import DONE, jobs_of
from sweeps.single_run import hydra_values


def job_overrides(config: DictConfig) -> list[list[str]]:
    """Return the overrides of every job; of a study, whose values nobody knows yet, the given ones as often as it has trials.

    Args:
        config: of the sweep, with its part for Hydra.
    """
    sweeper, task = config.hydra.sweeper, list(config.hydra.overrides.task)
    parser = OverridesParser.create()
    if "n_trials" in sweeper:
        plain = [override for override in task if not parser.parse_override(override).is_sweep_override()]
        return [plain] * int(sweeper.n_trials)
    params = [f"{key}={value}" for key, value in (sweeper.get("params") or {}).items()]
    jobs: list[list[str]] = BasicSweeper.split_arguments(parser.parse_overrides([*params, *task]), None)[0]
    return jobs


@dataclass(frozen=True)
class Planned:
    """A job of a sweep: what its command line says, what it does, and the hash that it shares with jobs that do the same."""

    overrides: Sequence[str]
    settings: TrainSettings
    identity: str


def planned_job(config_name: str, overrides: Sequence[str]) -> Planned:
    """Return what a job of a sweep does.

    Raises:
        ValueError: about the first of its values that is wrong.
    """
    job = compose(config_name, [*overrides, "hydra.mode=RUN"], return_hydra_config=True)
    with hydra_values(job) as folder:
        with read_write(job.hydra), open_dict(job.hydra):
            job.hydra.runtime.output_dir = str(folder)
        HydraConfig.instance().set_config(job)
        task = OmegaConf.masked_copy(job, [str(key) for key in job if key != "hydra"])
        return Planned(overrides, train_settings(task), identity_of(task, overrides))


def tell_sweep(config: DictConfig) -> int:
    """Print the jobs of a sweep, how long they will take and what they need, and return the exit code.

    Args:
        config: of the sweep, with its part for Hydra.
    """
    asked = [planned_job(config.hydra.job.config_name, overrides) for overrides in job_overrides(config)]
    is_study = "n_trials" in config.hydra.sweeper
    jobs = asked if is_study else without_duplicates(asked)
    done = {} if config.get("rerun") else _done(Path(config.hydra.runtime.cwd, config.hydra.sweep.dir))
    left = [job for job in jobs if job.identity not in done]
    if is_study:
        print(f"{len(jobs)} trials; what is searched is not known yet, and stands here at its default")
    else:
        _tell_jobs(jobs, done)
        print(f"{len(jobs)} jobs; duplicates removed: {len(asked) - len(jobs)}; with a result already: {len(jobs) - len(left)}")
    if left:
        _tell_time(left, config)
    return _tell_disk(left or jobs)


def without_duplicates(jobs: Sequence[Planned]) -> list[Planned]:
    """Return of the jobs that do the same the first, in their order."""
    first: dict[str, Planned] = {}
    for job in jobs:
        first.setdefault(job.identity, job)
    return list(first.values())


def _done(sweep: Path) -> dict[str, str]:
    """Return the folders of jobs that have their result, by what these compute."""
    return {job.identity: folder.name for folder, job in jobs_of(sweep).items() if job.status in DONE} if sweep.is_dir() else {}


def _tell_jobs(jobs: Sequence[Planned], done: dict[str, str]) -> None:
    common = set.intersection(*(set(job.overrides) for job in jobs))
    for number, job in enumerate(jobs):
        own = " ".join(override for override in job.overrides if override not in common) or "as it is"
        had = f" (has its result in {done[job.identity]})" if job.identity in done else ""
        print(printable(f"job {number}: {own}{had}"))


def _tell_time(jobs: Sequence[Planned], config: DictConfig) -> None:
    """Print how long the jobs will take, by a step of each different training among them."""
    from lightning_modules.commands.pace import duration
    from lightning_modules.commands.step_time import StepTimer, gpus

    quiet_lightning()
    timer = StepTimer()
    steps = [timer.seconds(job.settings) for job in jobs]
    taken = [seconds_of_training(job.settings.config, step) for job, step in zip(jobs, steps, strict=True)]
    fastest, slowest = min(steps), max(steps)
    span = f"{fastest:.3g} s" if f"{fastest:.3g}" == f"{slowest:.3g}" else f"{fastest:.3g} to {slowest:.3g} s"
    print(f"a step takes {span} on this machine ({timer.timed} different trainings timed, on noise)")
    if not all(map(math.isfinite, taken)):
        print("time: only the recordings tell how many steps an epoch has; trainer.max_steps would")
        return
    workers = workers_of(config.hydra.launcher, gpus)
    if workers == 0:
        print("note: the jobs would wait for ever, for GPUs that are not there", file=sys.stderr)
        return
    one = f"{duration(sum(taken))} of training on one worker"
    if workers is None:
        print(f"time: {one}; how many workers there are only the cluster knows")
        return
    told = f"time: about {duration(queue_seconds(taken, workers))} with {workers} worker{'s' if workers > 1 else ''}"
    print(f"{told} ({one}), {duration(max(taken))} for the longest job; validation and test come on top")


def _tell_disk(jobs: Sequence[Planned]) -> int:
    from datamodules.audio.probing import absolute
    from lightning_modules.commands import disk  # needs torch

    estimator, first = disk.Estimator(), jobs[0].settings.config
    needs = [estimator.need(job.settings) for job in jobs]
    return disk.tell_needs(needs, absolute(first["data"]["cache_dir"]), absolute(first["run_dir"]).parent)
