"""Values that follow from how many processes torchrun or srun has started, and on how many machines."""

from collections.abc import Mapping
from typing import Any

from conf.schema.sentences import SchemaError
from machine.launched import Launched, launched, times_started_anew


def as_launched(trainer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the values of keys that follow, by dotted names.

    Args:
        trainer: the node of that name.

    Raises:
        SchemaError: if the keys contradict what has been started, or nothing has started what they ask for.
    """
    place, machines = launched(), trainer.get("num_nodes") or 1
    if place is None or place.processes == 1:
        if isinstance(machines, int) and machines > 1:
            raise SchemaError(f"trainer.num_nodes={machines} needs torchrun or srun, which start a process for every processor")
        return {}
    _check(place, trainer)
    several = {"trainer.num_nodes": place.machines} if place.machines > 1 else {}
    return {"trainer.devices": place.local_processes, **several}


def _check(place: Launched, trainer: Mapping[str, Any]) -> None:
    strategy = trainer.get("strategy") or "auto"
    if not str(strategy).startswith("ddp"):
        raise SchemaError(
            f"trainer.strategy={strategy} trains in one process, and {place.by} has started {place.processes}: use trainer=ddp"
        )
    for key, free, started in (("devices", (1, "auto"), place.local_processes), ("num_nodes", (1, None), place.machines)):
        if (given := trainer.get(key)) not in (*free, started):
            raise SchemaError(f"trainer.{key}={given} must be {started} or left out, as {place.by} has started the processes")


def resumed(given: str | None, is_trial: bool) -> str | None:
    """Return what a run goes on from: started anew by torchrun or Slurm, it goes on with what it was at.

    Args:
        given: value of the key resume.
        is_trial: whether nothing is kept.
    """
    return "auto" if given is None and not is_trial and times_started_anew() else given
