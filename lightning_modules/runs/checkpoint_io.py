"""How the state of a training is written, whole or not at all, and whether a training can go on from a file."""

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from lightning_modules.runs.archive import ArchiveError, check_archive, check_bytes
from lightning_modules.runs.json_file import UnwritableError
from lightning_modules.runs.printing import one_line
from lightning_modules.runs.weights import with_checksum
from machine.console import printable

_PROGRESS = ("epoch_progress", "epoch_loop.batch_progress", "epoch_loop.scheduler_progress")


def _is_count(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _are_optimizers(value: object) -> bool:
    """Say whether there are optimizers: without their moments a training would go on as another one."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(s, Mapping) and _is_table(s.get("state")) and isinstance(s.get("param_groups"), list) for s in value)


def _are_loops(value: object) -> bool:
    fit = value.get("fit_loop") if isinstance(value, Mapping) else None
    return isinstance(fit, Mapping) and all(_is_progress(fit.get(name)) for name in _PROGRESS)


def _is_progress(value: object) -> bool:
    """Say whether a value counts what is ready, done and so on, in all and in the current epoch."""
    parts = [value.get(part) for part in ("total", "current")] if isinstance(value, Mapping) else [None]
    return all(isinstance(part, Mapping) and all(_is_count(count) for count in part.values()) for part in parts)


RESUMED: dict[str, Callable[[object], bool]] = {
    "state_dict": _is_table,
    "optimizer_states": _are_optimizers,
    "lr_schedulers": lambda value: isinstance(value, list) and all(_is_table(state) for state in value),
    "callbacks": _is_table,
    "loops": _are_loops,
    "epoch": _is_count,
    "global_step": _is_count,
}
"""What the trainer needs of a checkpoint to go on, and whether it has the form that a training writes."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Write a checkpoint beside its target and then rename it, so that a killed process leaves the old one or the new one.

    Lightning's own transaction moves a file out of $TMPDIR, which copies it when that lies on another file system.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None) -> None:
        """Write to `<path>.partial`, wait for the disk, and rename; Lightning never passes `storage_options` on its own.

        Raises:
            UnwritableError: naming the file, if it cannot be written; the one before it is as it was.
        """
        target = Path(path)
        partial = target.with_name(f"{target.name}.partial")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                torch.save(with_checksum(checkpoint), file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
            raise UnwritableError(_why_unwritable(target, error)) from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _why_unwritable(target: Path, error: Exception) -> str:
    cause = next((part for part in (error, error.__cause__, error.__context__) if isinstance(part, OSError)), error)
    reason = (cause.strerror or str(cause)).lower() if isinstance(cause, OSError) else one_line(cause, 120)
    return f"{printable(target)} cannot be written: {reason}; make room there, then go on with resume=auto"


def why_not_resumable(path: Path) -> str | None:
    """Return what is wrong with a checkpoint to go on from, None if nothing is.

    Every byte is compared with its checksum, and every declared size with what is there; no weights are kept in memory.
    """
    try:
        check_archive(path)
        check_bytes(path)
        content = torch.load(path, map_location="meta", weights_only=True)
    except ArchiveError as error:
        return printable(error) if str(error).startswith("is ") else f"is damaged: it {printable(error)}"
    except Exception as error:  # the unpickler meets any bytes
        return f"is damaged: it cannot be read as a checkpoint ({type(error).__name__})"
    missing = [key for key in RESUMED if key not in content] if isinstance(content, dict) else list(RESUMED)
    if missing:
        return f"is damaged: it has no {', '.join(missing)}"
    odd = [key for key, fits in RESUMED.items() if not fits(content[key])]
    return f"is damaged: its {' and '.join(odd)} cannot be gone on from" if odd else None
