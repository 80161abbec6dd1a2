"""What killed runs left is cleared away; nothing else is."""

import os
from pathlib import Path

import pytest

from datamodules.audio.partial import remove_leftovers, replaced_when_done
from machine.locks import FileLock, take

LEFT = f".{'ab' * 16}.partial"


def test_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half")
    assert remove_leftovers([tmp_path, tmp_path / "missing"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    with replaced_when_done(tmp_path / "a.txt") as temporary:
        temporary.write_text("content", encoding="utf-8")
        assert remove_leftovers([tmp_path]) == 0
        assert temporary.exists()
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "content"


def test_lock_that_a_killed_run_left_is_removed_and_not_counted(tmp_path: Path) -> None:
    (tmp_path / f"{LEFT}.lock").touch()
    assert remove_leftovers([tmp_path]) == 0
    assert list(tmp_path.iterdir()) == []


def test_file_being_written_may_be_replaced_by_another_and_its_lock_goes_with_it(tmp_path: Path) -> None:
    with replaced_when_done(tmp_path / "a.txt") as temporary:
        with replaced_when_done(temporary) as tagged:
            tagged.write_text("tagged", encoding="utf-8")
        assert remove_leftovers([tmp_path]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == "tagged"


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_lock_of_leftover_is_not_taken_from_who_comes_when_it_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release, next_ones = FileLock.release, []

    def release_and_be_followed(self: FileLock) -> None:
        release(self)
        next_ones.append(take(tmp_path / f"{LEFT}.lock"))

    (tmp_path / LEFT).touch()
    with monkeypatch.context() as patch:
        patch.setattr(FileLock, "release", release_and_be_followed)
        assert remove_leftovers([tmp_path]) == 1
    assert next_ones[0] is not None
    assert take(tmp_path / f"{LEFT}.lock") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are files on POSIX systems")
def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".download.partial").touch()
    (tmp_path / "a.partial").touch()
    os.mkfifo(tmp_path / LEFT)
    assert remove_leftovers([tmp_path]) == 0
    assert len(list(tmp_path.iterdir())) == 3
