"""A run has a folder of its own, goes on where it was left, and is left alone while it is at work."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from lightning_modules.runs.folder import FolderLock, RunFolderError, check_same_model, join_run, open_run
from tests.lightning_modules.runs.folder.conftest import CONFIG, finished_epoch

TAKE = """
import sys
from filelock import FileLock
lock = FileLock(sys.argv[1])
lock.acquire()
print("taken", flush=True)
sys.stdin.read()
"""


TAKE_AND_FORK = """
import os, sys, time
from pathlib import Path
from lightning_modules.runs.folder import FolderLock
lock = FolderLock(Path(sys.argv[1]).parent)
if os.fork() == 0:
    print(os.getpid(), flush=True)  # now it has let go of what it inherited
    time.sleep(60)
sys.stdin.read()
"""


OPEN = """
import sys
from pathlib import Path
from lightning_modules.runs.folder import open_run
run = open_run(Path(sys.argv[1]).parent, "auto", {"model": {}})
print("opened", flush=True)
sys.stdin.read()
"""


@contextmanager
def in_use(folder: Path, program: str = TAKE) -> Iterator[subprocess.Popen[str]]:
    """Let another process work on a folder."""
    command = [sys.executable, "-c", program, str(folder / "run.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


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
    first.close()
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


def test_run_that_still_goes_on_is_left_alone(tmp_path: Path) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder)
    card = (folder / "run.json").read_bytes()
    with in_use(folder) as other:
        assert other.stdout is not None and other.stdout.readline() == "taken\n"
        assert open_run(tmp_path / "b", "auto", CONFIG).folder == tmp_path / "b"
        with pytest.raises(RunFolderError, match="a is in use by a run that still goes on; wait for its end, or stop it"):
            open_run(tmp_path / "c", str(folder), CONFIG)
        with pytest.raises(RunFolderError, match="still goes on"):
            open_run(folder, None, CONFIG)
    assert (folder / "run.json").read_bytes() == card
    assert open_run(tmp_path / "c", "auto", CONFIG).folder == folder


def test_opened_run_holds_its_folder_until_it_ends(tmp_path: Path) -> None:
    with in_use(tmp_path / "a", OPEN) as other:
        assert other.stdout is not None and other.stdout.readline() == "opened\n"
        with pytest.raises(RunFolderError, match="a is in use by a run that still goes on"):
            FolderLock(tmp_path / "a")
    FolderLock(tmp_path / "a").close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows forks no workers")
def test_killed_run_is_free_even_if_a_forked_worker_lives_on(tmp_path: Path) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder)
    with in_use(folder, TAKE_AND_FORK) as other:
        assert other.stdout is not None
        worker = int(other.stdout.readline())
        with pytest.raises(RunFolderError, match="still goes on"):
            open_run(tmp_path / "b", str(folder), CONFIG)
        other.kill()
        other.wait()
        try:
            assert open_run(tmp_path / "b", str(folder), CONFIG).folder == folder
        finally:
            os.kill(worker, 9)


def test_closing_a_run_frees_its_folder(tmp_path: Path) -> None:
    run = open_run(tmp_path / "a", None, CONFIG)
    finished_epoch(run.folder)
    run.close()
    with in_use(run.folder) as other:
        assert other.stdout is not None and other.stdout.readline() == "taken\n"
    again = open_run(tmp_path / "b", "auto", CONFIG)
    assert again.folder == run.folder
    again.close()
    again.close()


def test_file_system_without_locks_is_used_with_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(FileLock, "acquire", fail)
    assert open_run(tmp_path / "a", None, CONFIG).folder == tmp_path / "a"
    assert "a cannot be locked (No locks available)" in caplog.text


def test_further_processes_of_a_run_join_it_and_write_nothing(tmp_path: Path) -> None:
    run = open_run(tmp_path / "a", None, CONFIG)
    checkpoint = finished_epoch(run.folder) / "checkpoints" / "last.ckpt"
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")}
    joined = join_run(tmp_path / "a")
    joined.close()
    assert (joined.folder, joined.id, joined.checkpoint) == (run.folder, run.id, checkpoint)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("*")} == before
    with pytest.raises(RunFolderError, match="nothing holds no run to join"):
        join_run(tmp_path / "nothing")
    assert not (tmp_path / "nothing").exists()


def test_another_model_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder)
    card = (folder / "run.json").read_bytes()
    check_same_model(folder, CONFIG)
    with pytest.raises(RunFolderError, match="a: it trains another model, and its config.yaml cannot be read"):
        check_same_model(folder, CONFIG | {"model": {"depth": 5}})
    assert (folder / "run.json").read_bytes() == card


@pytest.mark.parametrize("network", [None, "generator", "discriminator", "autoencoder"])
def test_run_may_be_continued_for_longer(tmp_path: Path, network: str | None) -> None:
    def config(epochs: int) -> dict[str, Any]:
        schedule = {"T_max": epochs}
        schedules = {"scheduler": schedule} if network is None else {"schedulers": {network: schedule}}
        return CONFIG | {"trainer": {"max_epochs": epochs}, "model": {"depth": 4, **schedules}}

    folder = finished_epoch(open_run(tmp_path / "a", None, config(20)).folder)
    longer = config(30)
    assert open_run(tmp_path / "b", str(folder), longer).folder == folder
    assert open_run(tmp_path / "b", "auto", longer).folder == folder


def test_auto_never_overwrites_a_run_of_another_configuration(tmp_path: Path) -> None:
    open_run(tmp_path / "a", None, CONFIG)
    with pytest.raises(RunFolderError, match="a already holds a run of another configuration; choose another run_name"):
        open_run(tmp_path / "a", "auto", CONFIG | {"seed": 1})
    assert open_run(tmp_path / "a", "auto", CONFIG).checkpoint is None
