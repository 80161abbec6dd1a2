"""Locks that end with the process that holds them, however it ends, and that other processes see."""

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout


def take(path: Path) -> FileLock | None:
    """Lock a file, which is made if it is missing, for as long as the returned object lives; None if somebody else has it.

    Data workers that are forked meanwhile do not hold it: they can outlive the process for seconds.

    Raises:
        OSError: if the file cannot be made, or the file system has no locks.
    """
    lock = FileLock(path, blocking=False, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return None
    return lock


def give_up(lock: FileLock) -> None:
    """Delete the file of a lock and release it.

    Deleted after the release, the file could be one that somebody else has locked meanwhile, and a third one could then lock a
    new file of that name. Windows deletes no file that is open, whoever has it.
    """
    path = Path(lock.lock_file)
    if os.name == "nt":
        lock.release()
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
    lock.release()
