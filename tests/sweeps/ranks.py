"""Trainings in several processes, as torchrun, Slurm's srun and Lightning start them, on the CPUs of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
NET = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]
QUICK = ["trainer=ddp", "trainer.accelerator=cpu", "logger=csv", "baselines=[]", "examples=1", "test_probes=[noharm_db]"]
QUICK += ["trainer.enable_progress_bar=false", "trainer.max_epochs=1", "trainer.num_sanity_val_steps=0"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


def environment(**values: str) -> dict[str, str]:
    """Return the environment of a process that nothing else has started."""
    started = ("SLURM_", "TORCHELASTIC_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(started)}
    return {**kept, "OMP_NUM_THREADS": "1", **values}


def start(command: Sequence[str], log: Path, **values: str) -> subprocess.Popen[str]:
    """Start a command whose output goes to a file."""
    with log.open("w", encoding="utf-8") as file:
        return subprocess.Popen(
            command, cwd=ROOT, env=environment(**values), text=True, stdout=file, stderr=subprocess.STDOUT, start_new_session=True
        )


def torchrun(processes: int, overrides: Sequence[str], log: Path, options: Sequence[str] = ()) -> subprocess.Popen[str]:
    """Start a training by torchrun on one machine."""
    several = ["--standalone", f"--nproc-per-node={processes}", *options]
    return start([*TORCHRUN, *several, "train.py", *overrides], log)


def srun(
    processes: int, overrides: Sequence[str], logs: Path, others: Sequence[Mapping[str, str]] = (), **values: str
) -> list[subprocess.Popen[str]]:
    """Start a training as srun does: a process for every task, told by variables which of them it is.

    Args:
        processes: tasks on one machine.
        overrides: of train.py.
        logs: folder of files 0.txt, 1.txt, ... with their output.
        others: variables of each process.
        values: variables of all.
    """
    logs.mkdir(exist_ok=True)
    of_all = {"SLURM_NTASKS": str(processes), "SLURM_NTASKS_PER_NODE": str(processes), "SLURM_NNODES": "1"}
    of_all |= {"SLURM_JOB_ID": "4242", "SLURM_JOB_NAME": "train", "MASTER_PORT": str(free_port()), **values}
    command = [sys.executable, "train.py", *overrides]
    started = []
    for rank in range(processes):
        own = {"SLURM_PROCID": str(rank), "SLURM_LOCALID": str(rank), "SLURM_NODEID": "0", **(others[rank] if others else {})}
        started.append(start(command, logs / f"{rank}.txt", **of_all, **own))
    return started


def free_port() -> int:
    """Return the number of a port that nobody listens at."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        number: int = listening.getsockname()[1]
        return number


def wait_for(path: Path, processes: Sequence[subprocess.Popen[Any]], seconds: float = 200) -> None:
    """Wait until there is a file that a training writes."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert all(process.poll() is None for process in processes), "the training ended before"
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)
