"""Processes are asked and ended by the way of each system; that of Windows is tried here too, without what it lacks."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from machine import system
from sweeps.child import Ended, run_child

ROOT = Path(__file__).parents[2]
HEEDING = """
import signal, sys, time
from sweeps.child import end_with_parent
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
end_with_parent()
print("ready", repr(sys.stdin.read()), flush=True)
while True:
    time.sleep(0.01)
"""


@pytest.fixture
def no_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the calls away that only POSIX systems have."""
    for name in ("killpg", "wait4", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    monkeypatch.setitem(sys.modules, "resource", None)


def run_until_ready(folder: Path) -> Ended:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = folder / "log"
    return run_child([sys.executable, "-c", HEEDING], folder, environment, log, lambda: log.stat().st_size > 0)


@pytest.mark.usefixtures("no_groups")
def test_without_groups_a_process_is_asked_through_its_standard_input(tmp_path: Path) -> None:
    assert run_until_ready(tmp_path) == Ended(143, True, None)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "ready ''\n"


def test_with_groups_it_finds_the_end_of_its_standard_input_too(tmp_path: Path) -> None:
    assert run_until_ready(tmp_path) == Ended(143, True, None)
    assert (tmp_path / "log").read_text(encoding="utf-8") == "ready ''\n"


@pytest.mark.usefixtures("no_groups")
def test_asking_a_process_that_has_ended_does_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdin=subprocess.PIPE) as process:
        process.wait()
        system.ask(process, signal.SIGTERM)
        system.end_group(process.pid)
    assert process.returncode == 0


def test_own_group_is_ended_with_its_other_members() -> None:
    program = "import subprocess, sys; from machine import system\n"
    program += "other = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], stdout=sys.stdout)\n"
    program += "system.end_own_group()"
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, **system.own_group()) as process:
        process.communicate(timeout=30)  # the other one holds the pipe open
    assert time.monotonic() - started < 30
    assert process.returncode != 0


def test_memory_is_counted_in_mib() -> None:
    held = bytearray(2**26)
    assert 64 < system.peak_memory_mib() < 2**17
    program = "held = bytearray(2**26); print(len(held), flush=True)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL) as process:
        assert 64 < system.wait_for_peak_memory_mib(process) < 2**11
    assert (process.returncode, len(held)) == (0, 2**26)


@pytest.mark.usefixtures("no_groups")
def test_what_cannot_be_asked_is_not_known() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        assert math.isnan(system.wait_for_peak_memory_mib(process))
    assert process.returncode == 0
    assert math.isnan(system.peak_memory_mib())
    assert system.usable_processors() == os.cpu_count()


def test_processors_that_may_not_be_used_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 3}, raising=False)
    assert system.usable_processors() == 2
