"""Which folder a job works in, and who holds it: no two processes, of whatever sweep, are at work in one."""

import time
from itertools import chain, count
from pathlib import Path

from lightning_modules.runs.folder import FolderLock, RunFolderError
from sweeps.child import POLL_SECONDS
from sweeps.records import claim, jobs_of, next_number

JOB_LOCK = "job.lock"
"""Held from before a job's process starts: the run itself locks its folder only seconds later."""
TOLD_AFTER_POLLS = 20
"""That somebody else holds a folder is said once after so many looks."""


def take_folder(proposed: Path, identity: str, rerun: bool) -> tuple[Path, FolderLock]:
    """Take the folder of this very job in an earlier sweep, else the proposed one, or one with the next free number.

    Of two sweeps at once the second one leaves a folder alone that the first is at work on.
    """
    jobs = jobs_of(proposed.parent)
    same = [folder for folder, job in jobs.items() if job.identity == identity and not rerun]
    taken = next(((folder, lock) for folder in reversed(same) if (lock := _lock_if_free(folder))), None)
    if taken is None:
        numbers = (proposed.with_name(str(number)) for number in count(next_number(jobs)))
        folder = next(place for place in chain([proposed], numbers) if claim(place))
        taken = folder, FolderLock(folder, JOB_LOCK)
    if taken[0] != proposed and proposed.is_dir() and not any(proposed.iterdir()):
        proposed.rmdir()
    return taken


def lock_when_free(folder: Path) -> tuple[Path, FolderLock]:
    """Take the folder of a job whose worker is lost; its process may live on for a moment, on a machine cut off for longer."""
    for times in count():
        if lock := _lock_if_free(folder):
            return folder, lock
        if times == TOLD_AFTER_POLLS:
            print(f"job {folder.name}: waits for a process of its lost worker that is still at work on it", flush=True)
        time.sleep(POLL_SECONDS)
    raise AssertionError("counting has no end")


def _lock_if_free(folder: Path) -> FolderLock | None:
    """Lock a job's folder, unless a sweep holds it, or a run that was started there by hand."""
    try:
        FolderLock(folder).close()
        return FolderLock(folder, JOB_LOCK)
    except RunFolderError:
        return None


def is_at_work(folder: Path) -> bool:
    """Say whether another process is at work on a job."""
    lock = _lock_if_free(folder)
    if lock is not None:
        lock.close()
    return lock is None
