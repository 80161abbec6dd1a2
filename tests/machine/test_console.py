"""What a stream cannot show or nobody reads ends no work."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SAY = """
import sys
from machine.console import steady_streams
steady_streams()
print("▼ 1.5 ✓ • → ± č")
print("✗", file=sys.stderr)
"""
TALK = """
import logging, sys
from pathlib import Path
from machine.console import steady_streams
steady_streams()
logging.basicConfig(stream=sys.stdout, level=logging.INFO)
for number in range(10_000):
    print("line", number, flush=number % 100 == 0)
    logging.info("said %d", number)
    print("whispered", number, file=sys.stderr)
Path(sys.argv[1]).touch()
"""


def said(encoding: str) -> tuple[bytes, bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ended = subprocess.run([sys.executable, "-c", SAY], cwd=ROOT, env=environment, capture_output=True, check=True)
    return ended.stdout.strip(), ended.stderr.strip()


@pytest.mark.parametrize(
    ("encoding", "line"),
    [
        ("ascii", b"- 1.5 + * -> +- \\u010d"),
        ("cp1252", "- 1.5 + • -> ± \\u010d".encode("cp1252")),
        ("utf-8", "▼ 1.5 ✓ • → ± č".encode()),
    ],
)
def test_signs_fall_back_only_where_the_stream_lacks_them(encoding: str, line: bytes) -> None:
    assert said(encoding) == (line, "✗".encode() if encoding == "utf-8" else b"x")


def test_reader_that_has_gone_ends_the_printing_and_not_the_work(tmp_path: Path) -> None:
    command = [sys.executable, "-c", TALK, str(tmp_path / "done")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().strip() == b"line 0"
        process.stdout.close()
        told = process.stderr.read()
    assert process.returncode == 0
    assert (tmp_path / "done").exists()
    assert {line.split()[0] for line in told.splitlines()} == {b"whispered"}


def test_both_streams_may_go(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-c", TALK, str(tmp_path / "done")]
    assert subprocess.run(command, cwd=ROOT, stdout=writing, stderr=writing).returncode == 0
    os.close(writing)
    assert (tmp_path / "done").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_other_failures_are_told() -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run([sys.executable, "-c", SAY], cwd=ROOT, stdout=full, stderr=subprocess.PIPE)
    assert ended.returncode != 0
    assert b"No space left" in ended.stderr


def test_streams_that_others_have_put_there_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    from machine.console import steady_streams

    before = sys.stdout, sys.stderr
    assert before[0] is not sys.__stdout__  # pytest's own
    steady_streams()
    assert (sys.stdout, sys.stderr) == before
