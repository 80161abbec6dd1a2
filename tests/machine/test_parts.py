"""Parts of files are read without keeping many files open, or what was read."""

import os
from pathlib import Path

import pytest

from machine import parts
from machine.parts import close_parts, read_part


def open_files(folder: Path) -> int:
    """Count the descriptors of this process that lead into a folder."""
    count = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{name}").startswith(str(folder))
        except OSError:
            continue
    return count


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / str(number) for number in range(300)]
    for number, path in enumerate(paths):
        path.write_bytes(f"{number:04d}".encode())
    return paths


@pytest.mark.parametrize("has_pread", [True, False])
def test_every_part_is_read(files: list[Path], monkeypatch: pytest.MonkeyPatch, has_pread: bool) -> None:
    if not has_pread:
        monkeypatch.delattr(os, "pread", raising=False)
    close_parts()
    for number in (*range(300), 0):
        assert read_part(files[number], 0, 4) == f"{number:04d}".encode()
        assert read_part(files[number], 3, 9) == str(number % 10).encode()


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="counts descriptors as Linux lists them")
def test_a_bounded_number_of_files_is_open(files: list[Path], tmp_path: Path) -> None:
    for path in files:
        read_part(path, 0, 1)
    assert open_files(tmp_path) == parts._MOST_OPEN
    close_parts()
    assert open_files(tmp_path) == 0


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_part(tmp_path / "none", 0, 1)
