"""What killed runs left is cleared away; nothing else is."""

import os
from pathlib import Path

import pytest

from datamodules.audio.partial import remove_leftovers, replaced_when_done

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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes are files on POSIX systems")
def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".download.partial").touch()
    (tmp_path / "a.partial").touch()
    os.mkfifo(tmp_path / LEFT)
    assert remove_leftovers([tmp_path]) == 0
    assert len(list(tmp_path.iterdir())) == 3
