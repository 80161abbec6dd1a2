"""Freed memory is kept: what is taken again costs no new pages."""

import ctypes
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from machine.memory import keep_freed_memory

ROOT = Path(__file__).parents[2]
FAULTS = """
import resource, sys
import numpy as np
from machine.memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for count in range(12):
    if count == 2:
        before = faults()
    np.ones(8_000_000)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be asked")
def test_what_is_taken_again_costs_no_new_pages() -> None:
    """64 MB are 15,625 pages of 4 kB, or 31 of 2 MB."""
    command = [sys.executable, "-c", FAULTS]
    kept, given_back = (
        int(subprocess.run([*command, how], cwd=ROOT, capture_output=True, text=True, check=True).stdout)
        for how in ("keep", "leave")
    )
    assert kept < 200 <= given_back


@pytest.mark.parametrize("error", [AttributeError("no mallopt"), OSError("no library"), TypeError("no name")])
def test_other_systems_are_left_as_they_are(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: None) -> None:
        raise error

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert not keep_freed_memory()
