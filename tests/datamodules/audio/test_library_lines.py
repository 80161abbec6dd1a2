"""Lines of C libraries become a sentence with the file's name; what others write meanwhile goes on."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from datamodules.audio.library_lines import library_lines_named, tell_once

ERROR = b"\n[src/libmpg123/layer3.c:INT123_do_layer3():1804] error: dequantization failed!\n"
NOTE = b"Note: Illegal Audio-MPEG-Header 0xfffbfdc4 at offset 12192.\n"


def test_lines_are_caught_counted_and_told_with_the_name(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / "a.mp3"
    with library_lines_named(path):
        os.write(2, ERROR + b"somebody else\n" + NOTE + ERROR)
    assert capfd.readouterr().err == "somebody else\n"
    (told,) = [record.getMessage() for record in caplog.records]
    assert told.startswith(f"{path}: its decoder met damage: ")
    assert told.endswith("error: dequantization failed! (and 2 more)")


def test_lines_heard_while_two_files_are_read_accuse_neither(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with library_lines_named(tmp_path / "a.mp3"), library_lines_named(tmp_path / "b.mp3"):
        os.write(2, NOTE)
    told = [record.getMessage() for record in caplog.records]
    assert told
    assert all(": its decoder, or that of a file read at the same time, met damage: " in line for line in told)


def test_silent_libraries_and_other_files_are_left_alone(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with library_lines_named(tmp_path / "a.mp3"):
        pass
    with library_lines_named(tmp_path / "a.wav"):
        os.write(2, NOTE)
    assert capfd.readouterr().err == NOTE.decode()
    assert caplog.records == []


def test_threads_share_the_capture_and_it_ends_with_the_last(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    before = os.fstat(2)

    def listen(number: int) -> None:
        for _ in range(20):
            with library_lines_named(tmp_path / f"{number}.mp3"):
                os.write(2, NOTE)

    threads = [threading.Thread(target=listen, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (before.st_dev, before.st_ino)
    assert "libmpg123" not in capfd.readouterr().err


def test_process_without_error_output_decodes_all_the_same() -> None:
    code = (
        "import os; os.close(2)\n"
        "from datamodules.audio.library_lines import library_lines_named\n"
        "with library_lines_named('a.mp3'): print('decoded')"
    )
    root = Path(__file__).parents[3]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE).stdout == b"decoded\n"


def test_sentence_is_told_once(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    for _ in range(3):
        tell_once(tmp_path / "a.wav", "a sentence")
    assert len(caplog.records) == 1
