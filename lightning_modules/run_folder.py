"""The folder of one run: what makes two runs the same, which of them can be continued, and what it holds."""

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lightning_modules.results import write_json

VOLATILE = ("resume", "run_name", "run_dir", "run_id", "logger")
"""Top-level keys that do not change what a run computes."""


class RunFolderError(ValueError):
    """A run folder that cannot be used as asked."""


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return a hash that two runs share exactly if they compute the same.

    Args:
        config: the resolved configuration.
    """
    lasting = {key: value for key, value in config.items() if key not in VOLATILE}
    return hashlib.sha256(json.dumps(lasting, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Run:
    """An opened run folder; `id` names the run to trackers, over every resume; `checkpoint` is what it continues from."""

    folder: Path
    id: str
    checkpoint: Path | None


def open_run(run_dir: Path, resume: str | None, config: Mapping[str, Any]) -> Run:
    """Decide where a run writes and which checkpoint it continues.

    Args:
        run_dir: the folder proposed for a new run.
        resume: None starts anew, "auto" continues the newest unfinished run of the same configuration beside `run_dir` (or
            starts anew if there is none), anything else is the path of a run folder.
        config: the resolved configuration.

    Raises:
        RunFolderError: if a new run would overwrite an old one, the folder to resume holds no checkpoint, or nothing can be
            written there.
    """
    folder = run_dir
    if resume == "auto":
        folder = _newest_unfinished(run_dir, fingerprint(config)) or run_dir
    elif resume is not None:
        folder = Path(resume)
    checkpoint = folder / "checkpoints" / "last.ckpt"
    if resume not in (None, "auto") and not checkpoint.is_file():
        raise RunFolderError(f"resume={resume}: no {checkpoint} to continue from; known values: auto, a run folder, null")
    if resume is None and (folder / "run.json").exists():
        raise RunFolderError(f"{folder} already holds a run; choose another run_name, or continue it with resume=auto")
    identity = _prepare(folder, config)
    if folder != run_dir and run_dir.is_dir() and not any(run_dir.iterdir()):
        run_dir.rmdir()  # proposed, and not needed
    return Run(folder, identity, checkpoint if checkpoint.is_file() else None)


def _newest_unfinished(run_dir: Path, wanted: str) -> Path | None:
    found = [
        entry.parent
        for entry in run_dir.parent.glob("*/run.json")
        if json.loads(entry.read_text())["fingerprint"] == wanted
        and (entry.parent / "checkpoints" / "last.ckpt").is_file()
        and status(entry.parent) != "finished"
    ]
    return max(found, key=lambda folder: (folder / "run.json").stat().st_mtime, default=None)


def status(folder: Path) -> str:
    """Return "finished" or "interrupted" as result.json says, or "running" when there is none."""
    result = folder / "result.json"
    return str(json.loads(result.read_text())["status"]) if result.is_file() else "running"


def _prepare(folder: Path, config: Mapping[str, Any]) -> str:
    card = folder / "run.json"
    identity = str(json.loads(card.read_text())["id"]) if card.is_file() else uuid.uuid4().hex[:8]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_json(card, {"id": identity, "fingerprint": fingerprint(config)})
    except OSError as error:
        raise RunFolderError(f"cannot write to the run folder {folder}: {error.strerror}; change hydra.run.dir") from error
    return identity
