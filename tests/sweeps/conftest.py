"""What tests of sweeps share: a sweep of trainings that take seconds, started as a user starts it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.isolation import quoted

ROOT = Path(__file__).parents[2]
SMALL = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]
QUICK = ["trainer=cpu", "trainer.max_epochs=2", "logger=csv", "baselines=[]", "examples=1"]

IN_A_JOB = """
import os, sys
if "hydra.mode=RUN" in sys.orig_argv or "sweeps.forge" in " ".join(sys.orig_argv):
"""
"""Begins a sitecustomize.py that works in jobs alone; a forge is one of them, as its children start no Python anew."""

Sweep = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="session")
def start_sweep(tiny: list[str]) -> Sweep:
    """Return a function that starts `train.py -m` into a folder, with further overrides and environment variables."""

    def start(folder: Path, *overrides: str, **variables: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "train.py", "-m", *tiny, *SMALL, *QUICK, f"hydra.sweep.dir={quoted(str(folder))}", *overrides]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)  # type: ignore[call-overload, no-any-return]

    return start
