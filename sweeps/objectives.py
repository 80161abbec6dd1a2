"""What a sweep chooses by: validation values of a job's best epoch, never the test split."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lightning_modules.metrics.registry import METRICS, computed_in
from lightning_modules.runs.damage import DamagedFileError, is_number, read_json
from sweeps.hours import StudyEnd

Objective = float | list[float] | StudyEnd | None
"""What a sweeper is told of a job: one value or several; None of a job that has none; or that it is to draw no more."""


def read_objectives(folder: Path, names: Sequence[str]) -> dict[str, float | None]:
    """Return the validation values of a run's best epoch, None where there is none, as in a damaged result.json.

    Args:
        folder: of the run, with its result.json.
        names: such as "val/si_sdr_db".
    """
    try:
        values = read_json(folder / "result.json").get("validation")
    except DamagedFileError:
        values = None
    known = values if isinstance(values, dict) else {}
    return {name: known[name] if is_number(known.get(name)) else None for name in names}


def as_sweeper_objective(objectives: Mapping[str, float | None]) -> Objective:
    """Return what Hydra's sweepers take: a number for one objective, a list for several, None if any is missing."""
    values = [value for value in objectives.values() if value is not None and math.isfinite(value)]
    if not values or len(values) < len(objectives):
        return None
    return values[0] if len(values) == 1 else values


def directions(names: Sequence[str]) -> list[str]:
    """Return "maximize" or "minimize" for each objective.

    Raises:
        ValueError: if a name is not of a validation metric.
    """
    known = [f"val/{name}" for name in computed_in("validation")]
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"objectives={list(names)} must be computed in validation; known: {', '.join(known)}")
    return ["maximize" if METRICS[name.removeprefix("val/")].higher_is_better else "minimize" for name in names]
