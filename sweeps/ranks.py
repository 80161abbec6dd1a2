"""Processes that torchrun or srun started for one training: all but the first wait for its folder before Hydra makes one."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from machine.launched import Launched, launched


def as_one_run(work: Callable[[], int]) -> int:
    """Do a script's work, as one of several processes if this is one, and return the exit code.

    Args:
        work: reads the command line.

    Raises:
        ValueError: if several processes would each do everything.
        LostProcessError: if another one is gone.
    """
    place = launched()
    if place is None or place.processes == 1:
        return work()
    if (why := why_alone(sys.argv)) is None:
        return _work_together(place, work)
    if place.by == "srun" and place.rank == 0:  # so Slurm numbers the script of a job too, which it starts once
        return work()
    raise ValueError(f"{place.by} has started {place.processes} processes, {why}")


def why_alone(command: Sequence[str]) -> str | None:
    """Say why a command is for one process; None if it is a single training.

    Args:
        command: script and arguments.
    """
    script = Path(command[0]).stem
    if script not in ("train", "clarion-train"):
        return f"and {script} works in one: start it alone"
    if {"-m", "--multirun"} & {*command[1:]}:
        return "each of which would run the whole sweep: start it alone; its jobs start theirs with trainer=ddp"
    return None


def _work_together(place: Launched, work: Callable[[], int]) -> int:
    prepare_environment(place)
    from lightning_modules.fleet import FOLDER, Fleet, Watch
    from sweeps.isolation import quoted

    if place.by == "torchrun":
        from sweeps.meeting import meet

        os.environ.update(meet(Fleet(place)))
    watch, code = Watch(place).start(), 1
    try:
        if place.rank > 0:
            folder = Fleet(place).hear(FOLDER, "the first one to begin")
            sys.argv.append(f"hydra.run.dir={quoted(folder)}")
        code = work()
        return code
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        raise
    finally:
        watch.end(code)


def prepare_environment(place: Launched) -> None:
    """Set what Lightning and PyTorch read: where the processes meet, which Slurm does not say, and what is not to be told."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # connections that are lost are told in a sentence
    if place.by == "srun":
        from lightning_fabric.plugins.environments.slurm import SLURMEnvironment

        os.environ.setdefault("SLURM_NTASKS_PER_NODE", str(place.local_processes))
        os.environ.setdefault("SLURM_NODEID", str(place.machine))
        os.environ.setdefault("SLURM_LOCALID", str(place.local_rank))
        slurm = SLURMEnvironment()
        os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"] = slurm.main_address, str(slurm.main_port)
