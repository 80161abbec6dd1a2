"""What a job of a sweep is called, so that a list of runs tells the jobs apart."""

from collections.abc import Sequence

from machine.names import storable

LONGEST = 120
"""Characters; W&B shows at most 128."""


def job_name(sweep: str, number: str, overrides: Sequence[str], given: Sequence[str], seed: int) -> str:
    """Name a job by its sweep, its number, the values that it does not share with the others, and its seed.

    Args:
        sweep: name of its folder.
        number: of the job.
        overrides: of the job.
        given: the command line of the sweep, in which values of all jobs stand as they are.
        seed: of the job.

    >>> job_name("rates", "3", ["data=maestro", "model.optimizer.lr=0.1"], ["data=maestro", "model.optimizer.lr=0.1,0.2"], 0)
    'rates-3 lr=0.1 seed=0'
    >>> job_name("noises", "0", ["data.pattern=*.wav"], [], 0)  # every system can store it as the name of a folder
    'noises-0 pattern=_.wav seed=0'
    """
    swept = [override.lstrip("+~").partition("=") for override in overrides if override not in given]
    short = [key.rpartition(".")[2] for key, _, _ in swept]
    names = [name if short.count(name) == 1 else key for name, (key, _, _) in zip(short, swept, strict=True)]
    told = [f"{name}={value}" for name, (_, _, value) in zip(names, swept, strict=True)]
    told += [] if "seed" in names else [f"seed={seed}"]
    return storable(" ".join([f"{sweep}-{number}", *told])[:LONGEST].rstrip(" ."))
