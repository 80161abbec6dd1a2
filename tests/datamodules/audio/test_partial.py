"""What killed runs left is cleared away; nothing else is."""

import os
from pathlib import Path

from datamodules.audio.partial import remove_leftovers, replaced_when_done

LEFT = f".{'ab' * 16}.partial"


def test_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / LEFT).write_bytes(b"half")
    assert remove_leftovers([tmp_path, tmp_path / "missing"]) == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    with replaced_when_done(tmp_path / "a.txt") as temporary:
        temporary.write_text("content")
        assert remove_leftovers([tmp_path]) == 0
        assert temporary.exists()
    assert (tmp_path / "a.txt").read_text() == "content"


def test_files_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".download.partial").touch()
    (tmp_path / "a.partial").touch()
    os.mkfifo(tmp_path / LEFT)
    assert remove_leftovers([tmp_path]) == 0
    assert len(list(tmp_path.iterdir())) == 3
