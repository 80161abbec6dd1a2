"""Jobs of a multirun in processes of their own: each is an ordinary single run, which its command repeats alone.

Hydra's launchers run jobs inside one process, one after the other. Lightning starts the other ranks of `trainer=ddp` by repeating
the command line, which for a multirun is the whole sweep: ranks then train with different hyper-parameters, without an error
(Lightning #11300, Hydra #2070), and device memory, random states and trackers leak from job to job. A process per job has none of
this, and one that fails or runs out of memory takes no other with it.
"""

import hashlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Quote, QuotedString
from hydra.types import RunMode
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from conf.compose import FOLDER, plain
from lightning_modules.runs.folder import AGENTS_ID, RunFolderError, fingerprint, status
from sweeps.attempts import MOST_LOST, START_VARIABLE, begin_attempt, earlier_attempt, task_of
from sweeps.child import Ended, run_child
from sweeps.forge import Forges
from sweeps.hours import ENDS_VARIABLE, StudyEnd, are_spent
from sweeps.names import job_name
from sweeps.objectives import Objective, as_sweeper_objective, read_objectives
from sweeps.places import lock_when_free, take_folder
from sweeps.pruning import MedianRule
from sweeps.records import DONE, Job, command_of, describe, jobs_of, reason, tail

ROOT = Path(__file__).parent.parent
LAUNCH_VARIABLES = (
    "LOCAL_RANK",
    "NODE_RANK",
    "GROUP_RANK",
    "WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "PL_GLOBAL_SEED",
    "CLARION_RUN_FOLDER",
    ENDS_VARIABLE,
    START_VARIABLE,
    AGENTS_ID,
    "TORCHELASTIC_RUN_ID",
    "TORCHELASTIC_RESTART_COUNT",
    "SLURM_NTASKS",  # Lightning then starts the ranks of a job itself, within the one task that Slurm gave it
    "SLURM_NTASKS_PER_NODE",
)
"""What would tell a job that it is part of something else."""
FORGES = Forges()
"""Start the jobs of this process, which a launcher may give one after the other."""


def in_sweep() -> bool:
    """Say whether Hydra runs this process as a job of a multirun."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def run_job(cfg: DictConfig, script: str = "train.py") -> Objective:
    """Run one job of a multirun as a process of its own, unless a job of the sweep has its result already.

    A job whose worker was lost goes on in its folder, where it was.

    Args:
        cfg: the job's configuration.
        script: in the project's root; the job's command line is for it.

    Returns:
        The job's objectives, for a sweeper; None if it has none; where the hours of a study are spent, what ends it.

    Raises:
        SystemExit: 128 + n after signal n, once the job has ended.
    """
    hydra = HydraConfig.get()
    sweep, overrides = Path(hydra.runtime.cwd, hydra.sweep.dir), list(hydra.overrides.task)
    identity, task = identity_of(cfg, overrides), task_of(int(hydra.job.num))
    lost, rerun = earlier_attempt(sweep, task), cfg.get("rerun", True)
    folder, lock = lock_when_free(lost.folder) if lost else take_folder(sweep / str(hydra.sweep.subdir), identity, rerun)
    try:
        known = jobs_of(sweep).get(folder)
        if known and known.status in DONE:
            os.utime(folder / "job.json")
            print(f"{describe(folder, known)} (before; rerun=true repeats it)", flush=True)
            return as_sweeper_objective(known.objectives)
        resume = "auto" if lost or not rerun else "null"
        job = Job(identity, overrides, _command(script, hydra, sweep, folder, cfg, resume))
        if are_spent():
            return _leave(known or job, folder, "n_trials" in hydra.sweeper)
        if begin_attempt(folder, task, lost).lost == MOST_LOST:
            _give_up(job, folder)
            return None
        ended = _run(job, folder, cfg, hydra)
    finally:
        lock.close()
    _tell_end(job, folder)
    if ended.signal is not None:
        raise SystemExit(128 + ended.signal)
    return as_sweeper_objective(job.objectives)


def _tell_end(job: Job, folder: Path) -> None:
    print(describe(folder, job), flush=True)
    if job.status == "finished" and job.exit_code:
        print(f"job {folder.name}: its end failed after its result was written: {reason(job)}", flush=True)


def _leave(job: Job, folder: Path, is_study: bool) -> StudyEnd | None:
    """Write down that a job waits for another time; a study draws no more trials, of whose results it would know nothing."""
    job.status = "left"
    job.write(folder)
    print(describe(folder, job), flush=True)
    return StudyEnd() if is_study else None


def _give_up(job: Job, folder: Path) -> None:
    """Let a job fail that has cost too many workers: what takes them with it will not go away."""
    log = folder / "output.log"
    said = f"error: lost {MOST_LOST} workers in a row without a new checkpoint, as for want of memory"
    job.status, job.exit_code, job.last_lines = "failed", 1, [*(tail(log) if log.is_file() else []), said]
    job.write(folder)
    print(describe(folder, job), flush=True)


def identity_of(cfg: DictConfig, overrides: Sequence[str]) -> str:
    """Return a hash of what a job computes; of its command line if it cannot be told, in which case the job will say why."""
    try:
        return fingerprint(plain(cfg))
    except (ValueError, OmegaConfBaseException):
        return hashlib.sha256("\n".join(overrides).encode()).hexdigest()


def _command(script: str, hydra: Any, sweep: Path, folder: Path, cfg: DictConfig, resume: str) -> list[str]:
    """Return the command line that repeats a job as a single run; what the user overrides is left alone."""
    given = {override.lstrip("+~").split("=")[0] for override in hydra.overrides.task}
    name = job_name(sweep.name, folder.name, hydra.overrides.task, command_of(sweep)[1:], cfg.get("seed", 0))
    named = {"group": sweep.name, "run_name": name, "trainer.enable_progress_bar": "false"}
    if script == "train.py":
        named["resume"] = resume
    added = [f"{key}={quoted(value)}" for key, value in named.items() if key in _keys(cfg) and key not in given]
    sources = [source for source in hydra.runtime.config_sources if source.schema == "file"]
    folders = [f"--config-dir={source.path}" for source in sources if source.provider == "command-line"]
    folders += [f"--config-path={source.path}" for source in sources if source.provider == "main" and source.path != str(FOLDER)]
    fixed = [f"hydra.run.dir={quoted(str(folder))}", "hydra.mode=RUN"]
    places = [override for override in hydra.overrides.hydra if override.lstrip("+").startswith("hydra.searchpath=")]
    overrides = [*hydra.overrides.task, *added, *places, *fixed]
    return [sys.executable, str(ROOT / script), f"--config-name={hydra.job.config_name}", *folders, *overrides]


def _keys(cfg: DictConfig) -> set[str]:
    return set(cfg) | {f"trainer.{key}" for key in cfg.get("trainer", {})}


def quoted(value: str) -> str:
    """Return a text as Hydra's command line takes it."""
    plain_word = value.replace("-", "").replace("_", "").replace(".", "").isalnum()
    return value if plain_word else QuotedString(value, Quote.single).with_quotes()


def _run(job: Job, folder: Path, cfg: DictConfig, hydra: Any) -> Ended:
    """Run the job and keep `job.json` up to date."""
    job.write(folder)
    log, started, before = folder / "output.log", time.monotonic(), _written_ns(folder)
    print(f"job {folder.name} starts; its output: {log}", flush=True)
    environment = job_environment(os.environ, hydra)
    ended = run_child(job.command, Path(hydra.runtime.cwd), environment, log, _watch(cfg, folder), FORGES.start)
    job.seconds, job.exit_code = round(time.monotonic() - started, 1), ended.exit_code
    has_result = _written_ns(folder) != before
    job.status = "tried" if _is_trial(cfg) and ended.exit_code == 0 else _how_it_ended(folder, ended, has_result)
    if job.status in DONE:
        job.objectives = read_objectives(folder, list(cfg.get("objectives", [])))
    if ended.exit_code:
        job.last_lines = tail(log)
    job.write(folder)
    return ended


def _is_trial(cfg: DictConfig) -> bool:
    return bool(cfg.get("trainer", {}).get("fast_dev_run"))


def _written_ns(folder: Path) -> int | None:
    """Return when result.json was last written, None if there is none."""
    result = folder / "result.json"
    return result.stat().st_mtime_ns if result.is_file() else None


def _how_it_ended(folder: Path, ended: Ended, has_result: bool) -> str:
    """Say what became of a job; one that wrote the result of a whole training has it, whatever failed after that."""
    if ended.exit_code == 0 or (has_result and _status(folder) == "finished"):
        return "finished"
    stopped_in_order = ended.exit_code in (130, 143) and _status(folder) == "interrupted"
    if stopped_in_order and ended.stopped and ended.signal is None:
        return "pruned"
    return "interrupted" if stopped_in_order or ended.signal is not None else "failed"


def _status(folder: Path) -> str:
    try:
        return status(folder)
    except RunFolderError:
        return "damaged"


def _watch(cfg: DictConfig, folder: Path) -> Any:
    """Return what decides whether the job should be stopped early."""
    if cfg.get("prune_after_epochs") is None:
        return lambda: False
    rule = MedianRule(folder.parent, cfg.monitor, cfg.mode == "max", cfg.prune_after_epochs, cfg.trainer.max_epochs)
    return lambda: rule.should_prune(folder)


def job_environment(environment: Mapping[str, str], hydra: Any) -> dict[str, str]:
    """Return the environment of a job: without what a launch leaves behind, and with its share of the threads.

    OpenMP's threads wait by spinning: two jobs that both use every core slow each other down tenfold. A launcher that runs
    jobs side by side gets one thread a job, unless it (Slurm, Ray) or the user says how many.

    Args:
        environment: of this process.
        hydra: of the job.
    """
    kept = {key: value for key, value in environment.items() if key not in LAUNCH_VARIABLES}
    if "OMP_NUM_THREADS" not in kept and not hydra.launcher._target_.endswith("BasicLauncher"):
        kept["OMP_NUM_THREADS"] = kept.get("SLURM_CPUS_PER_TASK", "1")
    return kept
