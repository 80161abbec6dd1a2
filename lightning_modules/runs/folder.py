"""The folder of one run: what makes two runs the same, which of them can be continued, and what it holds."""

import hashlib
import json
import logging
import os
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from lightning_modules.runs.card import RunFolderError, check_checkpoint, last_checkpoint, read_card, sound_checkpoint, status
from lightning_modules.runs.json_file import write_json
from lightning_modules.runs.moved_names import first_keys, first_names
from machine.console import printable
from machine.locks import take

__all__ = [
    "FOLLOWING_THE_RUN",
    "VOLATILE",
    "FolderLock",
    "Run",
    "RunFolderError",
    "check_same_model",
    "fingerprint",
    "join_run",
    "open_run",
    "status",
]

VOLATILE = (
    "resume",
    "from_run",
    "run_name",
    "run_dir",
    "run_id",
    "logger",
    "examples",
    "test_probes",
    "test_perceptual_pairs",
    "test_perceptual_kind",
    "baselines",
    "plugins",
    "group",
    "job_type",
    "objectives",
    "prune_after_epochs",
    "rerun",
    "sweep_hours",
    "keep_checkpoints",
    "checkpoint_every_minutes",
    "compile",
    "dry_run",
    "refinement_steps",
    "plugins",
    "trainer.enable_progress_bar",
    "test_trainer.enable_progress_bar",
    "data.num_workers",
    "data.cache_dir",
    "callbacks.device_stats",
    "callbacks.profiler",
)
"""Keys that do not change what a run computes, with dots between the levels."""
FOLLOWING_THE_RUN = (
    "scheduler.T_max",
    "schedulers.generator.T_max",
    "schedulers.discriminator.T_max",
    "schedulers.autoencoder.T_max",
)
"""Keys of a model that follow the length of the run, which may change when it is continued."""

AGENTS_ID = "WANDB_RUN_ID"
"""Variable by which an agent of W&B says which run it has begun there."""

log = logging.getLogger(__name__)


def fingerprint(config: Mapping[str, Any]) -> str:
    """Return a hash that two runs share exactly if they compute the same.

    Args:
        config: the resolved configuration.
    """
    return _hash(first_keys(_without(config, VOLATILE)))


def _hash(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(first_names(content), sort_keys=True).encode()).hexdigest()


def _without(config: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return a copy of nested mappings without the keys of these dotted names."""
    kept = dict(config)
    for head, _, rest in (name.partition(".") for name in names):
        if not rest:
            kept.pop(head, None)
        elif isinstance(kept.get(head), Mapping):
            kept[head] = _without(kept[head], [rest])
    return kept


@dataclass(frozen=True)
class Run:
    """An opened run folder, taken from all other processes until `close` or the end of this one.

    `id` names the run to trackers, over every resume; `checkpoint` is what it continues from.
    """

    folder: Path
    id: str
    checkpoint: Path | None
    close: Callable[[], object] = lambda: None


class FolderLock:
    """Take a folder for this process as long as this object lives; the kernel gives it back even if the process is killed.

    On a file system without locks the folder is used all the same, and a warning says so.

    Args:
        folder: is created.
        name: of the file that is locked; who locks another one does not mind.

    Raises:
        RunFolderError: if another process holds the folder, or nothing can be written there.
    """

    def __init__(self, folder: Path, name: str = "run.lock") -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._lock: FileLock | None = None
        try:
            self._lock = take(folder / name)
        except OSError as error:
            log.warning("%s cannot be locked (%s); nothing prevents a second process from using it", folder, error.strerror)
            return
        if self._lock is None:
            raise RunFolderError(f"{folder} is in use by a run that still goes on; wait for its end, or stop it")

    def close(self) -> None:
        """Give the folder back; a method, so that who holds it keeps the lock."""
        if self._lock is not None:
            self._lock.release()


def open_run(run_dir: Path, resume: str | None, config: Mapping[str, Any]) -> Run:
    """Decide where a run writes and which checkpoint it continues.

    Args:
        run_dir: the folder proposed for a new run.
        resume: None starts anew, "auto" continues the newest unfinished run of the same configuration beside `run_dir` that no
            process is at work on (or starts anew if there is none), anything else is the path of a run folder.
        config: the resolved configuration.

    Raises:
        RunFolderError: if a new run would overwrite an old one, the folder to resume holds no checkpoint or a run that
            still goes on, or nothing can be written there.
    """
    if resume not in (None, "auto"):
        _check_resumable(Path(str(resume)))
    lock, folder = _take_unfinished(run_dir, config) if resume == "auto" else (None, Path(resume or run_dir))
    goes_on = lock is not None or resume not in (None, "auto")
    lock = lock or FolderLock(folder)
    try:
        if resume in (None, "auto"):
            _check_free(folder, resume, config)
        identity = _prepare(folder, config)
        checkpoint = last_checkpoint(folder) if goes_on else sound_checkpoint(folder)
    except RunFolderError:
        lock.close()
        raise
    if folder != run_dir and run_dir.is_dir() and not any(run_dir.iterdir()):
        run_dir.rmdir()  # proposed, and not needed
    return Run(folder, identity, checkpoint, lock.close)


def join_run(folder: Path) -> Run:
    """Join a run that another process has opened; nothing is taken or written.

    Args:
        folder: of the opened run.

    Raises:
        RunFolderError: if there is no run.
    """
    if not (folder / "run.json").exists():
        raise RunFolderError(f"{folder} holds no run to join (no run.json)")
    return Run(folder, read_card(folder)["id"], last_checkpoint(folder))


def _check_free(folder: Path, resume: str | None, config: Mapping[str, Any]) -> None:
    """Refuse a folder that holds a run, unless the run is this one and may be continued."""
    if not (folder / "run.json").exists():
        return
    if resume is None:
        raise RunFolderError(f"{folder} already holds a run; choose another run_name, or continue it with resume=auto")
    try:
        stored = read_card(folder)["fingerprint"]
    except RunFolderError as error:
        raise RunFolderError(f"{error}; choose another run_name") from error
    if stored != fingerprint(config):
        raise RunFolderError(f"{folder} already holds a run of another configuration; choose another run_name")


def _check_resumable(folder: Path) -> None:
    """Refuse what is no folder, and a folder that holds no checkpoint or a damaged one."""
    if folder.is_file():
        wanted = folder.parent.parent if folder.parent.name == "checkpoints" else "RUN"
        raise RunFolderError(
            f"resume={folder}: a training goes on from a run folder, whose last.ckpt holds what it needs; use resume={wanted}"
        )
    if last_checkpoint(folder) is None:
        checkpoint = folder / "checkpoints" / "last.ckpt"
        raise RunFolderError(f"resume={folder}: no {checkpoint} to continue from; known values: auto, a run folder, null")
    try:
        if (folder / "run.json").exists():
            read_card(folder)
        check_checkpoint(folder)
    except RunFolderError as error:
        raise RunFolderError(f"resume={folder}: {error}") from error


def check_same_model(folder: Path, config: Mapping[str, Any]) -> None:
    """Refuse a run of another model, where only the hash of its settings is known.

    Raises:
        RunFolderError: if it is another one, or run.json is damaged.
    """
    try:
        stored = read_card(folder).get("model") if (folder / "run.json").exists() else None
    except RunFolderError as error:
        raise RunFolderError(f"resume={folder}: {error}") from error
    if stored not in (None, _model_fingerprint(config)):
        raise RunFolderError(f"resume={folder}: it trains another model, and its config.yaml cannot be read")


def _model_fingerprint(config: Mapping[str, Any]) -> str:
    return _hash(_without(config["model"], FOLLOWING_THE_RUN))


def _take_unfinished(run_dir: Path, config: Mapping[str, Any]) -> tuple[FolderLock | None, Path]:
    """Return the newest run that can be continued and is free, locked, else the folder proposed for a new one.

    A damaged run is named in a warning and left alone: it is one among others.
    """
    wanted = fingerprint(config)
    for folder in _newest_first(run_dir.parent):
        try:
            lock = _taken_if_it_goes_on(folder, wanted)
        except (RunFolderError, OSError) as error:
            log.warning("resume=auto leaves out %s: %s", printable(folder), printable(error))
            continue
        if lock is not None:
            return lock, folder
    return None, run_dir


def _taken_if_it_goes_on(folder: Path, wanted: str) -> FolderLock | None:
    """Lock a run that can be continued; None if it is another one, has come to its end, or is in use.

    Raises:
        RunFolderError: if one of its files is damaged.
    """
    stored = read_card(folder)["fingerprint"]
    if status(folder) == "finished" or stored != wanted or last_checkpoint(folder) is None:
        return None
    try:
        lock = FolderLock(folder)
    except RunFolderError:
        return None
    try:
        check_checkpoint(folder)
    except RunFolderError:
        lock.close()
        raise
    return lock


def _newest_first(runs: Path) -> list[Path]:
    cards = sorted(runs.glob("*/run.json"), key=lambda card: card.lstat().st_mtime, reverse=True)
    return [card.parent for card in cards]


def _prepare(folder: Path, config: Mapping[str, Any]) -> str:
    card = folder / "run.json"
    identity = read_card(folder)["id"] if card.exists() else os.environ.get(AGENTS_ID) or uuid.uuid4().hex[:8]
    try:
        write_json(card, {"id": identity, "fingerprint": fingerprint(config), "model": _model_fingerprint(config)})
    except OSError as error:
        raise _unwritable(folder, error) from error
    return identity


def _unwritable(folder: Path, error: OSError) -> RunFolderError:
    return RunFolderError(f"cannot write to the run folder {printable(folder)}: {error.strerror or error}; change hydra.run.dir")
