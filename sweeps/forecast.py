"""How long the jobs of a sweep take: steps of each, workers, and the queue that they make."""

import heapq
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lightning_modules.training.durations import seconds_of
from machine.system import usable_processors


def steps_of(config: Mapping[str, Any]) -> float:
    """Return how many steps a training has at most; infinite where only its recordings tell how long an epoch is.

    Args:
        config: its resolved configuration.

    >>> data = {"samples_per_epoch": 100, "batch_size": 16}
    >>> steps_of({"trainer": {"max_epochs": 3}, "data": data}), steps_of({"trainer": {"max_steps": 5}, "data": data})
    (21, 5)
    """
    trainer, data = config["trainer"], config["data"]
    epochs, steps = trainer.get("max_epochs"), trainer.get("max_steps")
    per_epoch = _steps_of_epoch(trainer, data)
    of_epochs = math.inf if epochs in (None, -1) else epochs * per_epoch
    return min(of_epochs, math.inf if steps in (None, -1) else steps)


def _steps_of_epoch(trainer: Mapping[str, Any], data: Mapping[str, Any]) -> float:
    limit, windows, devices = trainer.get("limit_train_batches"), data["samples_per_epoch"], trainer.get("devices")
    whole = isinstance(limit, int) and not isinstance(limit, bool)
    if windows is None:
        return float(limit) if whole and limit is not None else math.inf
    batches = math.ceil(math.ceil(windows / data["batch_size"]) / (devices if isinstance(devices, int) and devices > 0 else 1))
    return min(batches, limit) if whole else int(batches * limit) if isinstance(limit, float) else batches


def seconds_of_training(config: Mapping[str, Any], step_seconds: float) -> float:
    """Return how long a training takes, of which `trainer.max_time` may be the end."""
    limit = seconds_of(config["trainer"].get("max_time")) or math.inf
    return min(steps_of(config) * step_seconds, limit)


def workers_of(launcher: Mapping[str, Any], gpus: Callable[[], int]) -> int | None:
    """Return how many jobs a launcher runs at once, None where only a cluster knows.

    Args:
        launcher: the node `hydra.launcher`.
        gpus: counts those of this machine.
    """
    target = str(launcher.get("_target_"))
    if "joblib" in target:
        jobs = int(launcher.get("n_jobs") or 1)
        return jobs if jobs > 0 else usable_processors()
    if "submitit" in target:
        return None if "Slurm" in target else int(launcher.get("array_parallelism") or 1)
    return _workers_of_ray(launcher.get("ray") or {}, gpus) if "ray" in target else 1


def _workers_of_ray(ray: Mapping[str, Any], gpus: Callable[[], int]) -> int | None:
    init, remote = ray.get("init") or {}, ray.get("remote") or {}
    if init.get("address"):
        return None
    cpus = init.get("num_cpus") or usable_processors()
    found = [int(cpus / share)] if (share := remote.get("num_cpus", 1)) else []
    if share := remote.get("num_gpus"):
        found.append(int((gpus() if init.get("num_gpus") is None else init["num_gpus"]) / share))
    return min(found, default=1)


def queue_seconds(jobs: Iterable[float], workers: int) -> float:
    """Return when the last of some jobs ends, each of which begins where a worker is free first.

    Args:
        jobs: seconds that each takes, in their order.
        workers: at least one.

    >>> queue_seconds([3, 1, 1, 4], 2)
    6.0
    """
    free = [0.0] * workers
    ends = [0.0]
    for seconds in jobs:
        ends.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, ends[-1])
    return max(ends)
