"""Locks that end with the process that holds them, however it ends, and that other processes see."""

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
