"""Jobs that a launcher begins anew because their worker is gone: one folder, one result, and an end to those that never get on.

Ray hands the task of a lost process or machine to another worker, which knows nothing of the first one. `attempt.json` in the
folder of the job tells it.
"""

import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path

from lightning_modules.runs.card import last_checkpoint
from lightning_modules.runs.damage import DamagedFileError, check_entries, is_number, is_text, read_json
from lightning_modules.runs.json_file import write_json

START_VARIABLE = "CLARION_SWEEP_START"
"""Tells every job, on whatever machine it runs, which start of a sweep it belongs to."""
MOST_LOST = 3
"""Workers in a row that a job may lose before it has a new checkpoint; then it counts as failed."""
ENTRIES = {"task": is_text, "worker": is_text, "checkpoint_ns": is_number, "lost": is_number}
"""What `attempt.json` has to hold."""


@dataclass(frozen=True)
class Attempt:
    """A worker's attempt at a job.

    Attributes:
        folder: of the job.
        task: what the launcher was asked for, once for each job of each start of a sweep.
        worker: that is at it.
        checkpoint_ns: when the checkpoint was written from which it goes on; 0 without one.
        lost: workers in a row that were lost at the same place.
    """

    folder: Path
    task: str
    worker: str
    checkpoint_ns: int
    lost: int = 0


def start_override() -> str:
    """Return the override of Hydra's own keys by which all jobs of a sweep that starts now know that they belong together."""
    return f"+hydra.job.env_set.{START_VARIABLE}='{uuid.uuid4().hex}'"


def task_of(number: int) -> str:
    """Name what the launcher was asked for; without `start_override` no two tasks are the same.

    Args:
        number: of the job in its sweep.
    """
    return f"{os.environ.get(START_VARIABLE) or uuid.uuid4().hex}/{number}"


def earlier_attempt(sweep: Path, task: str) -> Attempt | None:
    """Return the attempt of a worker that was asked for the very same before, None if there was none."""
    attempts = (_read_attempt(path) for path in sweep.glob("*/attempt.json"))
    return next((attempt for attempt in attempts if attempt and attempt.task == task), None)


def _read_attempt(path: Path) -> Attempt | None:
    try:
        content = read_json(path)
        check_entries(path, content, ENTRIES)
    except DamagedFileError:
        return None
    return Attempt(path.parent, **{key: content[key] for key in ENTRIES})


def begin_attempt(folder: Path, task: str, before: Attempt | None) -> Attempt:
    """Write down that this process is at a job, and say in a line whose place it takes.

    Args:
        folder: of the job.
        task: from `task_of`.
        before: the attempt of a worker that is lost.
    """
    checkpoint = last_checkpoint(folder)
    checkpoint_ns = checkpoint.stat().st_mtime_ns if checkpoint else 0
    worker = f"{socket.gethostname()}, process {os.getpid()}"
    lost = before.lost + 1 if before and before.checkpoint_ns == checkpoint_ns else 0
    write_json(folder / "attempt.json", {"task": task, "worker": worker, "checkpoint_ns": checkpoint_ns, "lost": lost})
    if before:
        place = "from its last checkpoint" if checkpoint else "from its beginning, for it had no checkpoint"
        print(f"job {folder.name}: its worker ({before.worker}) is gone; {worker}, goes on {place}", flush=True)
    return Attempt(folder, task, worker, checkpoint_ns, lost)
