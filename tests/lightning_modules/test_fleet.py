"""The watch over the processes of a training, where who holds the store stands still: nothing it is asked for returns."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from lightning_modules import fleet
from lightning_modules.fleet import PLACE, Fleet, Watch
from machine.launched import Launched
from tests.sweeps.ranks import ROOT, free_port

pytestmark = pytest.mark.posix
HOLDER = """
import time
from lightning_modules.fleet import Fleet
from machine.launched import Launched
held = Fleet(Launched("srun", 0, 2, 0, 2))
held.begin()
print("held", flush=True)
for beat in range(10_000):
    held.tell("alive/0", str(beat))
    time.sleep(0.02)
"""


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> "subprocess.Popen[str]":
    """Start a process that holds the store and shows that it lives."""
    for name, value in zip(PLACE, ("127.0.0.1", str(free_port())), strict=True):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_USE_AGENT_STORE", raising=False)
    process = subprocess.Popen([sys.executable, "-c", HOLDER], cwd=ROOT, env=dict(os.environ), text=True, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_store_that_does_not_answer_ends_who_needs_it(holder: "subprocess.Popen[str]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "BEAT_SECONDS", 0.1)
    told, said = threading.Event(), list[str]()

    def hear(sentence: str) -> None:
        said.append(sentence)
        told.set()

    try:
        Watch(Launched("srun", 1, 2, 1, 2), hear, silence_seconds=1.0).start()
        assert not told.wait(1.5), "the first process lives"
        holder.send_signal(signal.SIGSTOP)
        assert told.wait(10)
        assert said[0].startswith("the first process of this training does not answer, so that this one ends too")
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]


def test_word_of_the_end_is_heard(holder: "subprocess.Popen[str]") -> None:
    try:
        other = Fleet(Launched("srun", 1, 2, 1, 2))
        other.begin()
        other.end(3)
        other.end(0)
        assert (other.told("ended/1"), other.told("ended/7")) == ("3", None)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()  # type: ignore[union-attr]
