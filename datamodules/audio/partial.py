"""Write files beside their names first, so that no half-written file is ever seen, and clear away what killed runs left."""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

import soundfile

from datamodules.audio.checks import AudioFileError

_NAME = re.compile(r"\.[0-9a-f]{32}\.partial")


class OutputError(AudioFileError):
    """A file that its folder or the disk does not take; whether they take the next one, `check_folder` tells."""


@contextlib.contextmanager
def output_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system and libsndfile raise while a file is written into an `OutputError` with its path."""
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise OutputError(path, full_disk_reason(path)) from error
    except OSError as error:
        raise OutputError(path, f"could not be written: {(error.strerror or str(error)).lower()}") from error


def full_disk_reason(path: str | os.PathLike[str]) -> str:
    """Say that a file could not be written, and how much room its folder has."""
    return f"could not be written; {shutil.disk_usage(Path(path).parent).free / 1e6:.0f} MB are free in its folder"


@contextlib.contextmanager
def replaced_when_done(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary file beside `path` that takes its place on success and is removed on any failure.

    Raises:
        OutputError: if the folder cannot be made or written to.
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid.uuid4().hex}.partial")  # Not from the name: that may be as long as allowed.
    try:
        with output_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            held = open(temporary, "wb")  # noqa: SIM115 - its lock tells other processes that the file is in use
        with held:
            _lock(held.fileno())
            yield temporary
        with output_errors(target):
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Delete what killed runs left half-written in folders, and leave alone what a living process holds.

    Returns:
        how many files were deleted.
    """
    count = 0
    for folder in folders:
        for path in folder.glob(".*.partial"):
            if _NAME.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                count += _remove_unheld(path)
    return count


def _remove_unheld(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            if not _lock(file.fileno()):
                return False
            path.unlink()
    except OSError:  # Windows does not delete what a process holds open.
        return False
    return True


def _lock(descriptor: int) -> bool:
    """Take the lock of an open file, which ends with the process; return whether it was free."""
    try:
        import fcntl
    except ImportError:  # Windows: an open file cannot be deleted.
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
