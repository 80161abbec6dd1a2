"""Whether something else started this process as one of several that train together: torchrun, or srun under Slurm."""

import os
from collections.abc import Mapping
from dataclasses import dataclass

_INTERACTIVE = ("bash", "interactive")
"""Names of Slurm's jobs in which somebody types, and Lightning starts the processes."""


@dataclass(frozen=True)
class Launched:
    """This process among those that torchrun or srun started.

    Attributes:
        by: torchrun or srun.
        rank: number of this process, from 0.
        processes: how many there are.
        local_rank: number of this process on its machine, from 0.
        local_processes: how many there are on this machine.
        machine: number of this machine, from 0.
    """

    by: str
    rank: int
    processes: int
    local_rank: int
    local_processes: int
    machine: int = 0

    @property
    def machines(self) -> int:
        """Return how many machines there are; all have the same number of processes."""
        return self.processes // self.local_processes


def launched(environment: Mapping[str, str] = os.environ) -> Launched | None:
    """Return the place of this process among those that train together; None if nothing started several.

    Args:
        environment: variables of this process.

    Example:
        >>> launched({"SLURM_NTASKS": "4", "SLURM_PROCID": "3", "SLURM_LOCALID": "1", "SLURM_NNODES": "2"})
        Launched(by='srun', rank=3, processes=4, local_rank=1, local_processes=2, machine=1)
    """
    if "TORCHELASTIC_RUN_ID" in environment:
        names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK")
        return Launched("torchrun", *(int(environment[name]) for name in names))
    if not _is_task_of_several(environment):
        return None
    return _task(environment, int(environment["SLURM_PROCID"]), int(environment["SLURM_NTASKS"]))


def _task(environment: Mapping[str, str], rank: int, tasks: int) -> Launched:
    machines = int(environment.get("SLURM_STEP_NUM_NODES") or environment.get("SLURM_NNODES") or 1)
    here = int(environment.get("SLURM_NTASKS_PER_NODE") or tasks // machines)
    local_rank = int(environment.get("SLURM_LOCALID", rank % here))
    return Launched("srun", rank, tasks, local_rank, here, int(environment.get("SLURM_NODEID", rank // here)))


def _is_task_of_several(environment: Mapping[str, str]) -> bool:
    tasks = int(environment.get("SLURM_NTASKS", 1))
    return tasks > 1 and "SLURM_PROCID" in environment and environment.get("SLURM_JOB_NAME") not in _INTERACTIVE


def is_first_process(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether this process speaks for all: the only one, or the first of those that something started, be it Lightning.

    Args:
        environment: variables of this process.
    """
    place = launched(environment)
    return int(environment.get("LOCAL_RANK", 0)) == 0 if place is None else place.rank == 0


def times_started_anew(environment: Mapping[str, str] = os.environ) -> int:
    """Return how often torchrun has restarted this training, or Slurm has requeued its job.

    Args:
        environment: variables of this process.
    """
    return max(int(environment.get(name, 0)) for name in ("TORCHELASTIC_RESTART_COUNT", "SLURM_RESTART_COUNT"))
