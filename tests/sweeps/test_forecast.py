"""How long a sweep will take, by counting: steps of a job, workers of a launcher, and who waits for whom."""

import math
from typing import Any

import pytest

from sweeps.forecast import queue_seconds, seconds_of_training, steps_of, workers_of


def config(windows: int | None = 100, batch: int = 16, **trainer: Any) -> dict[str, Any]:
    return {"data": {"samples_per_epoch": windows, "batch_size": batch}, "trainer": trainer}


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (config(max_epochs=2), 14),
        (config(max_epochs=2, devices=2), 8),
        (config(max_epochs=2, limit_train_batches=3), 6),
        (config(max_epochs=2, limit_train_batches=0.5), 6),
        (config(max_epochs=2, max_steps=5), 5),
        (config(max_epochs=-1, max_steps=50), 50),
        (config(windows=None, max_epochs=2), math.inf),
        (config(windows=None, max_epochs=2, limit_train_batches=4), 8),
    ],
)
def test_steps_are_batches_until_the_first_limit(described: dict[str, Any], expected: float) -> None:
    assert steps_of(described) == expected


def test_clock_ends_a_training_before_its_steps_do() -> None:
    assert seconds_of_training(config(max_epochs=10, max_time="00:00:01:00"), 2.0) == 60
    assert seconds_of_training(config(max_epochs=10), 2.0) == 140


RAY = "hydra_plugins.hydra_ray_launcher.ray_launcher.RayLauncher"


@pytest.mark.parametrize(
    ("launcher", "workers"),
    [
        ({"_target_": "hydra._internal.core_plugins.basic_launcher.BasicLauncher"}, 1),
        ({"_target_": RAY, "ray": {"init": {"num_cpus": 3}}}, 3),
        ({"_target_": RAY, "ray": {"init": {"num_cpus": 8}, "remote": {"num_gpus": 0.5}}}, 4),
        ({"_target_": RAY, "ray": {"init": {"num_cpus": 8, "num_gpus": 0}, "remote": {"num_gpus": 1}}}, 0),
        ({"_target_": RAY, "ray": {"init": {"address": "auto"}}}, None),
        ({"_target_": "hydra_plugins.hydra_submitit_launcher.submitit_launcher.SlurmLauncher"}, None),
    ],
)
def test_launcher_has_as_many_workers_as_its_resources_carry(launcher: dict[str, Any], workers: int | None) -> None:
    assert workers_of(launcher, lambda: 2) == workers


def test_jobs_begin_in_their_order_where_a_worker_is_free() -> None:
    assert queue_seconds([5, 1, 1, 1], 2) == 5
    assert queue_seconds([1, 1, 1, 5], 2) == 6
    assert queue_seconds([2, 2, 2], 1) == 6
    assert queue_seconds([], 3) == 0
