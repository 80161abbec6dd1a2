"""Runs are told apart by what was varied, and by nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.report.keys import label, method_id, settings, shown_value, swept_keys
from sweeps.report.runs import Run, read_run

Make = Callable[..., Path]


def read(folder: Path) -> Run:
    return read_run(folder, folder.name)


def model(**values: Any) -> dict[str, Any]:
    return {"model": values}


def test_seed_and_place_do_not_make_another_method(make_run: Make) -> None:
    one = read(make_run("a", seed=0, config={"run_dir": "/x", "trainer": {"accelerator": "cpu"}}))
    two = read(make_run("b", seed=1, config={"run_dir": "/y", "trainer": {"accelerator": "gpu"}}))
    assert method_id(one) == method_id(two)
    assert method_id(one) != method_id(read(make_run("c", lr=0.1)))


def test_swept_keys_are_those_that_vary_each_once(make_run: Make) -> None:
    shared = {"data": {"eval_seconds": 1}}
    runs = [
        read(
            make_run(
                f"{n}",
                config=model(optimizer={"lr": n}, scheduler={"T_max": n + 5}) | {"trainer": {"max_epochs": n + 5}} | shared,
            )
        )
        for n in range(2)
    ]
    assert swept_keys(runs) == ["model.optimizer.lr", "trainer.max_epochs"]


def test_settings_that_come_with_another_class_are_not_swept(make_run: Make) -> None:
    adam = read(make_run("a", config=model(optimizer={"_target_": "torch.optim.Adam", "lr": 1, "amsgrad": True})))
    sgd = read(make_run("b", config=model(optimizer={"_target_": "torch.optim.SGD", "lr": 2, "momentum": 0.9})))
    assert swept_keys([adam, sgd]) == ["model.optimizer._target_", "model.optimizer.lr"]
    assert label(adam, swept_keys([adam, sgd])) == "unet optimizer=Adam lr=1"


def test_settings_of_different_models_are_not_compared(make_run: Make) -> None:
    unet = read(make_run("a", config=model(net={"depth": 3})))
    other = read(make_run("b", config=model(net={"cells": 4}) | {"choices": {"model": "rnn"}}))
    assert swept_keys([unet, other]) == ["model"]
    assert settings(other)["model"] == "rnn"
    assert label(other, ["model"]) == "rnn"


def test_values_are_written_short() -> None:
    assert [shown_value(value) for value in (None, 1e-4, "torch.optim.Adam", "[4, 8]")] == ["–", "0.0001", "Adam", "[4, 8]"]
