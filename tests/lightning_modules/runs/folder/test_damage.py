"""Damaged runs are named, left out, and never stand in the way of the others."""

import os
from pathlib import Path

import pytest
import torch

from benchmarks.robustness.run_folders import RESUMABLE
from lightning_modules.runs.folder import RunFolderError, join_run, open_run
from tests.lightning_modules.runs.folder.conftest import CONFIG, finished_epoch

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
    torch.save(RESUMABLE | {"state_dict": {"w": torch.arange(5000.0)}}, path)
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
