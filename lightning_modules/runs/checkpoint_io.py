"""How the state of a training is written, whole or not at all, and whether a training can go on from a file."""

import contextlib
import os
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.plugins.io import TorchCheckpointIO

from lightning_modules.runs.archive import ArchiveError, check_archive, check_bytes
from lightning_modules.runs.json_file import UnwritableError
from lightning_modules.runs.printing import one_line
from lightning_modules.runs.weights import with_checksum
from machine.console import printable

RESUMED = ("state_dict", "optimizer_states", "lr_schedulers", "callbacks", "loops", "epoch", "global_step")
"""What the trainer needs of a checkpoint to go on."""


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
    return f"is damaged: it has no {', '.join(missing)}" if missing else None
