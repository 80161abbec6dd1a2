"""The hours that a sweep may take: jobs that would begin later are left for another time."""

import os
import time
from collections.abc import Iterator

ENDS_VARIABLE = "CLARION_SWEEP_ENDS"
"""Tells every job, on whatever machine it runs, when the hours of its sweep are spent: seconds since 1970."""
LEFT_CODE = 3
"""Exit code of a sweep that has left jobs and in which nothing failed."""


def override_of(hours: float) -> str:
    """Return the override of Hydra's own keys by which all jobs of a sweep that begins now know its end."""
    return f"+hydra.job.env_set.{ENDS_VARIABLE}='{time.time() + 3600 * hours:.3f}'"


def are_spent() -> bool:
    """Say whether the hours of the sweep that this process belongs to are spent; without such hours they never are."""
    return time.time() >= float(os.environ.get(ENDS_VARIABLE, "inf"))


class StudyEnd:
    """What a job returns whose study has no hours left: whoever takes it for a number draws no further trial, on any launcher.

    Raises:
        SystemExit: 3, as soon as it is read.
    """

    def __float__(self) -> float:
        raise SystemExit(LEFT_CODE)

    def __iter__(self) -> Iterator[float]:
        raise SystemExit(LEFT_CODE)
