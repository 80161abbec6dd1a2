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
from machine.locks import give_up, take

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
        with _in_use(temporary):
            with output_errors(target):
                temporary.touch()
            yield temporary
            with output_errors(target):
                os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def _in_use(temporary: Path) -> Iterator[None]:
    """Tell other processes that a file is being written, by the lock of one beside it: Windows replaces no file that is open."""
    beside, lock = _lock_beside(temporary), None
    with contextlib.suppress(OSError):  # some file systems have no locks, and what else is wrong the file itself will tell
        lock = take(beside)
    try:
        yield
    finally:
        if lock is not None:
            give_up(lock)
        else:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


def _lock_beside(temporary: Path) -> Path:
    return temporary.with_name(f"{temporary.name}.lock")


def remove_leftovers(folders: Iterable[Path]) -> int:
    """Delete what killed runs left half-written in folders, and leave alone what a living process holds.

    Returns:
        how many files were deleted.
    """
    count = 0
    for folder in folders:
        for path in {folder / found.name.removesuffix(".lock") for found in folder.glob(".*.partial*")}:
            if _NAME.fullmatch(path.name):
                count += _remove_unheld(path)
    return count


def _remove_unheld(path: Path) -> bool:
    """Delete a file, unless it is none or in use, and its lock."""
    if os.path.lexists(path) and (path.is_symlink() or not path.is_file()):
        return False
    try:
        lock = take(_lock_beside(path))
        if lock is None:
            return False
        is_there = path.exists()
        path.unlink(missing_ok=True)
        give_up(lock)
    except OSError:
        return False
    return is_there
