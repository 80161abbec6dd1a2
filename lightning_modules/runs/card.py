"""What a run folder says of its run, for others that look for one to continue: run.json, result.json and last.ckpt."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning_modules.runs.damage import DamagedFileError, check_entries, is_text, read_json
from machine.console import printable


class RunFolderError(ValueError):
    """A run folder that cannot be used as asked."""


def read_card(folder: Path) -> dict[str, Any]:
    """Return what run.json says.

    Raises:
        RunFolderError: naming the file, if it is damaged.
    """
    return _read(folder / "run.json", {"id": is_text, "fingerprint": is_text})


def _read(path: Path, entries: Mapping[str, Callable[[Any], bool]]) -> dict[str, Any]:
    try:
        content = read_json(path)
        check_entries(path, content, entries)
    except DamagedFileError as error:
        raise RunFolderError(str(error)) from error
    return content


def status(folder: Path) -> str:
    """Return "finished" or "interrupted" as result.json says, or "running" when there is none.

    Raises:
        RunFolderError: naming the file, if it is damaged.
    """
    result = folder / "result.json"
    return str(_read(result, {"status": is_text})["status"]) if result.exists() else "running"


def last_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that a run would go on from, None without one."""
    checkpoint = folder / "checkpoints" / "last.ckpt"
    return checkpoint if checkpoint.is_file() else None


def check_checkpoint(folder: Path) -> None:
    """Refuse a last.ckpt from which no training can go on, before any is tried.

    Raises:
        RunFolderError: naming the file.
    """
    from lightning_modules.runs.checkpoint_io import why_not_resumable  # needs torch, which a sweep's own process does not

    checkpoint = folder / "checkpoints" / "last.ckpt"
    reason = why_not_resumable(checkpoint)
    if reason:
        raise RunFolderError(f"{printable(checkpoint)} {reason}")


def sound_checkpoint(folder: Path) -> Path | None:
    """Return the checkpoint that a run would go on from, None without one that is whole."""
    checkpoint = last_checkpoint(folder)
    try:
        if checkpoint is not None:
            check_checkpoint(folder)
    except RunFolderError:
        return None
    return checkpoint
