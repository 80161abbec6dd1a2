"""Which run is continued, and that none is overwritten."""

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from filelock import FileLock

from lightning_modules.runs.checkpoint_io import RESUMED
from lightning_modules.runs.folder import FolderLock, RunFolderError, check_same_model, fingerprint, join_run, open_run

CONFIG: dict[str, Any] = {
    "seed": 0,
    "run_name": "a",
    "run_dir": "x",
    "resume": None,
    "model": {"depth": 4, "scheduler": {"T_max": 20}},
    "trainer": {"max_epochs": 20, "enable_progress_bar": True},
    "data": {"num_workers": 0, "cache_dir": "c", "batch_size": 16},
    "examples": 4,
    "baselines": ["wiener"],
}
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
worker = os.fork()
if worker == 0:
    time.sleep(60)
print(worker, flush=True)
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


def finished_epoch(folder: Path, status: str | None = None) -> Path:
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save({key: {} for key in RESUMED}, folder / "checkpoints" / "last.ckpt")
    if status is not None:
        (folder / "result.json").write_text(json.dumps({"status": status}), encoding="utf-8")
    return folder


STOPPING = {"_target_": "pytorch_lightning.callbacks.EarlyStopping", "monitor": "val/lsd", "mode": "min", "patience": 5}


@pytest.mark.parametrize(("callbacks", "patience"), [({}, None), ({"early_stopping": STOPPING}, 5)])
def test_fingerprint_of_a_run_from_before_callbacks_were_a_group_is_found_again(callbacks: dict, patience: int | None) -> None:
    seen = {"monitor": "val/lsd", "mode": "min", "model": {"depth": 4}}
    content = json.dumps(seen | {"early_stopping_patience": patience}, sort_keys=True)  # what was hashed then
    now = seen | {"callbacks": callbacks | {"device_stats": {}, "profiler": {}}, "plugins": ["mypackage"]}
    assert fingerprint(now) == hashlib.sha256(content.encode()).hexdigest()


def test_fingerprint_sees_a_callback_that_may_change_what_is_computed() -> None:
    def with_callbacks(**callbacks: Any) -> str:
        return fingerprint({"monitor": "val/lsd", "mode": "min", "callbacks": callbacks})

    changed = [{"min_delta": 0.1}, {"monitor": "val/snr_db"}, {"patience": 6}, {"_target_": "mypackage.Stopping"}]
    hashes = {with_callbacks(early_stopping=STOPPING | change) for change in changed}
    assert len({*hashes, with_callbacks(), with_callbacks(early_stopping=STOPPING), with_callbacks(own={})}) == 7


def test_fingerprint_sees_what_is_computed_and_not_where() -> None:
    assert fingerprint(CONFIG) == fingerprint(CONFIG | {"run_name": "b", "run_dir": "y", "resume": "auto"})
    assert fingerprint(CONFIG) != fingerprint(CONFIG | {"model": {"depth": 5}})


@pytest.mark.parametrize(
    ("key", "value"),
    [("enable_progress_bar", False), ("num_workers", 4), ("cache_dir", "d"), ("examples", 0), ("baselines", [])],
)
def test_fingerprint_leaves_out_what_changes_no_result(key: str, value: object) -> None:
    node = next((name for name in ("trainer", "data") if key in CONFIG[name]), None)
    change = {key: value} if node is None else {node: CONFIG[node] | {key: value}}
    assert fingerprint(CONFIG | change) == fingerprint(CONFIG)


@pytest.mark.parametrize("change", [{"trainer": {"max_epochs": 21}}, {"data": {"batch_size": 8}}, {"trainer": None}])
def test_fingerprint_sees_the_rest_of_the_same_nodes(change: dict[str, Any]) -> None:
    assert fingerprint(CONFIG | change) != fingerprint(CONFIG)


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


DAMAGED_TEXTS = [
    b"",
    b"{",
    b'{"id": "a", "fing',
    b"[]",
    b"null",
    b'"text"',
    b"\x00\xff\xfe\x80",
    b"{}",
    b'{"id": 1, "status": 1}',
    b"[" * 5000,
]


def damage(path: Path, content: bytes | str) -> None:
    """Replace a file by other content, or by a folder or a pipe."""
    if content == "pipe" and not hasattr(os, "mkfifo"):
        pytest.skip("pipes are files on POSIX systems")
    path.unlink(missing_ok=True)
    if content == "folder":
        path.mkdir()
    elif content == "pipe":
        os.mkfifo(path)
    else:
        assert isinstance(content, bytes)
        path.write_bytes(content)


def unfinished_pair(tmp_path: Path) -> tuple[Path, Path]:
    """Make two runs that could be continued, the first of them the newer one."""
    older, newer = (finished_epoch(open_run(tmp_path / name, None, CONFIG).folder, "interrupted") for name in ("older", "newer"))
    os.utime(older / "run.json", (1, 1))
    return newer, older


@pytest.mark.parametrize("name", ["run.json", "result.json"])
@pytest.mark.parametrize("content", [*DAMAGED_TEXTS, "folder", "pipe"], ids=lambda content: repr(content)[:20])
def test_damaged_neighbor_is_named_in_a_line_and_the_next_one_is_continued(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes | str
) -> None:
    newer, older = unfinished_pair(tmp_path)
    damage(newer / name, content)
    assert open_run(tmp_path / "proposed", "auto", CONFIG).folder == older
    assert [record.getMessage().split(" is ")[0] for record in caplog.records] == [
        f"resume=auto leaves out {newer}: {newer / name}"
    ]
    assert "\n" not in caplog.records[0].getMessage()


def damaged_checkpoints(path: Path) -> dict[str, bytes]:
    """Return damaged forms of a checkpoint of some weights."""
    torch.save({key: {} for key in RESUMED} | {"state_dict": {"w": torch.arange(5000.0)}}, path)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[whole.index(torch.arange(1000.0, 1010.0).numpy().tobytes())] ^= 1
    torch.save({"state_dict": {}}, path)
    forms = {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "bit": bytes(flipped),
        "text": b"no checkpoint",
        "keys": path.read_bytes(),
    }
    torch.save([1, 2], path)
    return forms | {"list": path.read_bytes(), "code": b"cos\nsystem\n(S'exit 1'\ntR."}


@pytest.mark.parametrize("form", ["empty", "half", "bit", "text", "keys", "list", "code"])
def test_damaged_checkpoint_is_named_and_its_run_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture, form: str) -> None:
    newer, older = unfinished_pair(tmp_path)
    last = newer / "checkpoints" / "last.ckpt"
    last.write_bytes(damaged_checkpoints(last)[form])
    with pytest.raises(RunFolderError, match=f"resume={newer}: {last} is damaged: "):
        open_run(tmp_path / "proposed", str(newer), CONFIG)
    assert open_run(tmp_path / "proposed", "auto", CONFIG).folder == older
    assert caplog.records[0].getMessage().startswith(f"resume=auto leaves out {newer}: {last} is damaged: ")


@pytest.mark.parametrize("content", [*DAMAGED_TEXTS, "folder", "pipe"], ids=lambda content: repr(content)[:20])
def test_damaged_run_that_is_asked_for_is_an_error_naming_the_file(tmp_path: Path, content: bytes | str) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder)
    damage(folder / "run.json", content)
    with pytest.raises(RunFolderError, match=f"^resume={folder}: {folder / 'run.json'} is "):
        open_run(tmp_path / "b", str(folder), CONFIG)
    with pytest.raises(RunFolderError, match=f"^{folder / 'run.json'} is .*; choose another run_name$"):
        open_run(folder, "auto", CONFIG)
    with pytest.raises(RunFolderError, match="run.json is "):
        join_run(folder)


def test_job_repeated_in_its_own_folder_starts_anew_without_a_sound_checkpoint(tmp_path: Path) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder)
    (folder / "checkpoints" / "last.ckpt").write_bytes(b"half")
    run = open_run(folder, "auto", CONFIG)
    assert (run.folder, run.checkpoint) == (folder, None)


def test_finished_run_repeated_in_its_own_folder_has_its_checkpoint(tmp_path: Path) -> None:
    folder = finished_epoch(open_run(tmp_path / "a", None, CONFIG).folder, "finished")
    assert open_run(folder, "auto", CONFIG).checkpoint == folder / "checkpoints" / "last.ckpt"
