"""A file is locked for one process at a time, and free again when that is gone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from machine.locks import FileLock, give_up, take

ROOT = Path(__file__).parents[2]
TAKE = """
import sys
from pathlib import Path
from machine.locks import take
lock = take(Path(sys.argv[1]))
print("free" if lock else "taken", flush=True)
sys.stdin.read()
"""


def test_one_process_has_it_until_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TAKE, str(tmp_path / "lock")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"free"
        assert take(tmp_path / "lock") is None
        other.kill()
    assert take(tmp_path / "lock") is not None


def test_it_is_free_when_nobody_keeps_it(tmp_path: Path) -> None:
    lock = take(tmp_path / "lock")
    assert lock is not None
    assert take(tmp_path / "lock") is None
    del lock
    assert take(tmp_path / "lock") is not None


def test_file_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        take(tmp_path / "file" / "lock")


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_who_comes_when_it_is_given_up_has_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, release, next_ones = take(tmp_path / "lock"), FileLock.release, []

    def release_and_be_followed(self: FileLock) -> None:
        release(self)
        next_ones.append(take(tmp_path / "lock"))

    assert lock is not None
    with monkeypatch.context() as patch:
        patch.setattr(FileLock, "release", release_and_be_followed)
        give_up(lock)
    assert next_ones[0] is not None
    assert take(tmp_path / "lock") is None


def test_its_file_is_gone_when_it_is_given_up(tmp_path: Path) -> None:
    lock = take(tmp_path / "lock")
    assert lock is not None
    give_up(lock)
    assert list(tmp_path.iterdir()) == []
    assert take(tmp_path / "lock") is not None
