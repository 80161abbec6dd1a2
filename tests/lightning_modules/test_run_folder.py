"""Which run is continued, and that none is overwritten."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lightning_modules.run_folder import RunFolderError, fingerprint, open_run

CONFIG: dict[str, Any] = {"seed": 0, "run_name": "a", "run_dir": "x", "resume": None, "model": {"depth": 4}}


def finished_epoch(folder: Path, status: str | None = None) -> Path:
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints" / "last.ckpt").touch()
    if status is not None:
        (folder / "result.json").write_text(json.dumps({"status": status}))
    return folder


def test_fingerprint_sees_what_is_computed_and_not_where() -> None:
    assert fingerprint(CONFIG) == fingerprint(CONFIG | {"run_name": "b", "run_dir": "y", "resume": "auto"})
    assert fingerprint(CONFIG) != fingerprint(CONFIG | {"model": {"depth": 5}})


def test_new_run_starts_in_its_own_folder(tmp_path: Path) -> None:
    run = open_run(tmp_path / "a", None, CONFIG)
    assert (run.folder, run.checkpoint) == (tmp_path / "a", None)


def test_new_run_never_overwrites_another(tmp_path: Path) -> None:
    open_run(tmp_path / "a", None, CONFIG)
    with pytest.raises(RunFolderError, match="already holds a run; choose another run_name"):
        open_run(tmp_path / "a", None, CONFIG)


def test_auto_continues_the_unfinished_run_of_this_configuration(tmp_path: Path) -> None:
    first = open_run(tmp_path / "a", None, CONFIG)
    finished_epoch(first.folder)
    (tmp_path / "b").mkdir()
    run = open_run(tmp_path / "b", "auto", CONFIG)
    assert not (tmp_path / "b").exists()
    assert (run.folder, run.id) == (first.folder, first.id)
    assert run.checkpoint == first.folder / "checkpoints" / "last.ckpt"


def test_auto_continues_an_interrupted_run_and_leaves_finished_and_other_ones(tmp_path: Path) -> None:
    for name, status in (("interrupted", "interrupted"), ("finished", "finished")):
        finished_epoch(open_run(tmp_path / name, None, CONFIG).folder, status)
    finished_epoch(open_run(tmp_path / "other", None, CONFIG | {"seed": 1}).folder)
    assert open_run(tmp_path / "new", "auto", CONFIG).folder == tmp_path / "interrupted"


def test_auto_takes_the_newest(tmp_path: Path) -> None:
    for age_seconds, name in ((100, "old"), (10, "new"), (200, "older")):
        folder = finished_epoch(open_run(tmp_path / name, None, CONFIG).folder)
        stamp = os.stat(folder / "run.json").st_mtime - age_seconds
        os.utime(folder / "run.json", (stamp, stamp))
    assert open_run(tmp_path / "proposed", "auto", CONFIG).folder == tmp_path / "new"


def test_auto_without_anything_to_continue_starts_anew(tmp_path: Path) -> None:
    run = open_run(tmp_path / "a", "auto", CONFIG)
    assert (run.folder, run.checkpoint) == (tmp_path / "a", None)


def test_named_folder_without_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="to continue from; known values: auto, a run folder, null"):
        open_run(tmp_path / "a", str(tmp_path / "nothing"), CONFIG)


def test_unwritable_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunFolderError, match="cannot write to the run folder"):
        open_run(tmp_path / "file" / "a", None, CONFIG)
