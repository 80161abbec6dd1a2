"""A job under Slurm that is told before its time is over, and asks to be queued again."""

import os
import signal
import subprocess
from collections.abc import Mapping


def requeue_signals(environment: Mapping[str, str] = os.environ) -> tuple[int, ...]:
    """Return the signal that tells a job of its end, as `sbatch --signal=USR1@90` has it; nothing where Slurm runs no job.

    Args:
        environment: variables of this process.
    """
    number = getattr(signal, "SIGUSR1", None)
    return (number,) if number is not None and "SLURM_JOB_ID" in environment else ()


def queue_again(environment: Mapping[str, str] = os.environ) -> str:
    """Ask Slurm to queue the job of this process again, and return a sentence on what came of it.

    Args:
        environment: variables of this process.
    """
    job = job_number(environment)
    try:
        done = subprocess.run(["scontrol", "requeue", job], capture_output=True, text=True)
    except OSError as error:
        return f"error: job {job} is not queued again: scontrol cannot be run ({error.strerror or error})"
    if done.returncode:
        return (
            f"error: job {job} is not queued again: {' '.join(done.stderr.split()) or f'scontrol ended with {done.returncode}'}"
        )
    return f"job {job} is queued again, and goes on there"


def job_number(environment: Mapping[str, str]) -> str:
    """Return the number by which Slurm knows a job, that of an array with its place there.

    Args:
        environment: variables of the job.

    Example:
        >>> job_number({"SLURM_JOB_ID": "12", "SLURM_ARRAY_JOB_ID": "11", "SLURM_ARRAY_TASK_ID": "3"})
        '11_3'
    """
    if "SLURM_ARRAY_JOB_ID" in environment:
        return f"{environment['SLURM_ARRAY_JOB_ID']}_{environment['SLURM_ARRAY_TASK_ID']}"
    return environment["SLURM_JOB_ID"]
