"""What happens once per sweep, in the process that Hydra started: preparation before the jobs, the account of them afterwards."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from conf.compose import exit_code_of
from lightning_modules.runs.plugins import import_plugins
from sweeps.attempts import start_override
from sweeps.dry_run import tell_sweep
from sweeps.hours import LEFT_CODE, override_of
from sweeps.isolation import quoted
from sweeps.places import is_at_work
from sweeps.ray_cluster import prepare_ray
from sweeps.records import DONE, Job, damaged_jobs, describe, jobs_of, own_overrides, reason, write_sweep


class SweepCallback(Callback):
    """Prepare a sweep so that it can be repeated to continue it, and end it with exit code 1 if a job has no result."""

    def __init__(self) -> None:
        self.folder = Path()
        self.started_ns = 0

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Create the sweep's folder, and tell the sweeper what earlier parts of the sweep found.

        Raises:
            SystemExit: with a sentence, if the objectives are none, a plugin cannot be used, or Ray's cluster does not answer; 0
                after a dry run.
        """
        _import_plugins(config.get("plugins"))
        if config.get("dry_run"):
            raise SystemExit(exit_code_of(lambda: tell_sweep(config)))
        if "ray" in config.hydra.get("launcher", {}):
            prepare_ray(config)
        self.folder = Path(config.hydra.runtime.cwd, config.hydra.sweep.dir)
        self.folder.mkdir(parents=True, exist_ok=True)
        for sentence in damaged_jobs(self.folder):
            print(f"warning: left out of the sweep, {sentence}", file=sys.stderr, flush=True)
        write_sweep(self.folder, sys.argv, jobs_of(self.folder))
        self.started_ns = (self.folder / "sweep.json").stat().st_mtime_ns
        _set_for_jobs(config, start_override())
        if config.get("sweep_hours") is not None:
            _set_for_jobs(config, override_of(config.sweep_hours))
        if "direction" in config.hydra.sweeper:
            _prepare_optuna(self.folder, config)

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Write `sweep.json` and name the jobs without a result; those of other sweeps in this folder do not count.

        Raises:
            SystemExit: 1, if there are such jobs, or some whose end failed after their result was written, and the sweep does not
                end for another reason; 3, if some are left alone because the hours of the sweep are spent.
        """
        if not self.started_ns:
            return
        jobs = jobs_of(self.folder)
        write_sweep(self.folder, sys.argv, jobs)
        touched = {folder: job for folder, job in jobs.items() if (folder / "job.json").stat().st_mtime_ns >= self.started_ns}
        elsewhere = [folder for folder, job in touched.items() if job.exit_code is None and is_at_work(folder)]
        touched = {folder: job for folder, job in touched.items() if folder not in elsewhere}
        left = {folder: job for folder, job in touched.items() if job.status == "left"}
        missing = {folder: job for folder, job in touched.items() if job.status not in (*DONE, "left")}
        incomplete = {folder: job for folder, job in touched.items() if job.status == "finished" and job.exit_code}
        _tell(self.folder, touched, {**missing, **left}, incomplete)
        stopped = sys.exc_info()[1]
        if (missing or incomplete) and (stopped is None or isinstance(stopped, Exception)):
            raise SystemExit(1)
        if left and stopped is None:
            raise SystemExit(LEFT_CODE)


def _set_for_jobs(config: DictConfig, override: str) -> None:
    """Set one of Hydra's own keys in the configuration of every job, as if it were on the command line."""
    with read_write(config.hydra), open_dict(config.hydra):
        config.hydra.overrides.hydra.append(override)


def _import_plugins(names: Any) -> None:
    """Import the plugins here too: their metrics may be objectives."""
    try:
        import_plugins(names or ())
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error


def _prepare_optuna(folder: Path, config: DictConfig) -> None:
    """Set what the sweep determines, as if it were on the command line: Hydra compares the jobs' sweeper with this one.

    Raises:
        SystemExit: with a sentence, if it cannot be searched like this.
    """
    from sweeps.optuna_study import study_settings

    if config.get("trainer", {}).get("fast_dev_run"):
        raise SystemExit(
            "error: trainer.fast_dev_run keeps no result that a search could go by; leave the search out, or the trial"
        )
    try:
        found = study_settings(config.hydra.sweeper, folder, list(config.objectives), list(config.hydra.overrides.task))
    except ValueError as error:
        raise SystemExit(f"error: {error}") from error
    with read_write(config.hydra), open_dict(config.hydra):
        for key, value in found.items():
            OmegaConf.update(config, f"hydra.sweeper.{key}", value)
            _set_for_jobs(config, f"hydra.sweeper.{key}={_spelled(value)}")


def _spelled(value: Any) -> str:
    return f"[{','.join(value)}]" if isinstance(value, list) else str(value) if isinstance(value, int | float) else quoted(value)


def _tell(folder: Path, jobs: Mapping[Path, Job], missing: Mapping[Path, Job], incomplete: Mapping[Path, Job]) -> None:
    tried = sum(job.status == "tried" for job in jobs.values())
    counts = [
        f"{len(jobs)} jobs",
        f"{len(jobs) - len(missing) - tried} with a result",
        *([f"{tried} only tried"] if tried else []),
    ]
    print(f"{', '.join(counts)}; sweep folder: {folder}", flush=True)
    own = own_overrides(jobs)
    for place, job in missing.items():
        sort = "note" if job.status == "left" else "error"
        print(f"{sort}: {describe(place, job, own[place])}", file=sys.stderr, flush=True)
    for place, job in incomplete.items():
        told = f"job {place.name} has a result, but its end failed: {reason(job)} (see {place / 'output.log'})"
        print(f"error: {told}", file=sys.stderr, flush=True)
    if missing:
        print("the same command repeats what is missing", file=sys.stderr, flush=True)
