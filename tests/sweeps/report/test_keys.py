"""Runs are told apart by what was varied, and by nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweeps.report.keys import keys_of_names, label, method_id, run_settings, shown_value, swept_keys, telling_keys
from sweeps.report.runs import ReportedRun, read_run

Make = Callable[..., Path]


def read(folder: Path) -> ReportedRun:
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


def test_key_of_another_version_is_not_swept_but_null_is_a_value(make_run: Make) -> None:
    old = read(make_run("old", config={"data": {"eval_seconds": 1}, "ema_decay": None}))
    new = read(make_run("new", config={"data": {"eval_seconds": 1, "pattern": "*"}, "ema_decay": 0.9}))
    assert swept_keys([old, new]) == ["ema_decay"]
    assert label(old, ["ema_decay"]) == "unet"


def test_scheduler_or_none_is_swept(make_run: Make) -> None:
    none, cosine = {"scheduler": None}, {"scheduler": {"_target_": "torch.optim.CosineAnnealingLR", "T_max": 3}}
    runs = [read(make_run(name, config=model(**values))) for name, values in (("a", none), ("b", cosine))]
    assert swept_keys(runs) == ["model.scheduler._target_"]


def test_names_take_no_more_keys_than_they_need(make_run: Make) -> None:
    grid = [(lr, weight) for lr in (1, 2) for weight in (0, 5)]
    runs = [read(make_run(f"{lr}{w}", config=model(lr=lr, weight=w, z=10 * lr))) for lr, w in grid]
    assert swept_keys(runs) == ["model.lr", "model.weight", "model.z"]
    assert telling_keys(runs) == ["model.lr", "model.weight"]


def test_methods_are_named_by_what_they_are_before_how_long_they_were_trained(make_run: Make) -> None:
    runs = []
    for first, second, epochs in ((0, 0, 16), (1, 0, 11), (0, 1, 8), (1, 1, 7)):
        settings = model(first=first, second=second, scheduler={"T_max": epochs + first}) | {"trainer": {"max_epochs": epochs}}
        runs.append(read(make_run(f"{epochs}", config=settings)))
    assert telling_keys(runs) == ["model.first", "model.second"]
    longer = model(first=0, second=0, scheduler={"T_max": 9}) | {"trainer": {"max_epochs": 32}}
    runs.append(read(make_run("longer", config=longer)))
    assert telling_keys(runs) == ["model.first", "model.second", "trainer.max_epochs"]


def test_training_settings_do_not_tell_classical_methods_apart(make_run: Make) -> None:
    kind = {"methods": {"corrupted": {"kind": "corrupted"}, "wiener": {"kind": "classical"}}}
    runs = [read(make_run(name, result=kind, config={"data": {"batch_size": n}} | model(a=1))) for n, name in enumerate("ab")]
    assert method_id(runs[0]) == method_id(runs[1])


def test_settings_of_different_models_are_not_compared(make_run: Make) -> None:
    unet = read(make_run("a", config=model(net={"depth": 3})))
    other = read(make_run("b", config=model(net={"cells": 4}) | {"choices": {"model": "rnn"}}))
    assert swept_keys([unet, other]) == ["model"]
    assert run_settings(other)["model"] == "rnn"
    assert label(other, ["model"]) == "rnn"


def test_name_says_what_differs_among_runs_of_its_model(make_run: Make) -> None:
    rnn = {"choices": {"model": "rnn"}}
    runs = [read(make_run(f"u{lr}", config=model(optimizer={"lr": lr}))) for lr in (1, 2)]
    runs += [read(make_run(f"r{steps}", config=model(optimizer={"lr": 1}, net={"steps": steps}) | rnn)) for steps in (4, 8)]
    keys = keys_of_names(runs)
    assert [label(run, keys[run.model]) for run in runs] == ["unet lr=1", "unet lr=2", "rnn steps=4", "rnn steps=8"]


def test_values_are_written_short() -> None:
    assert [shown_value(value) for value in (None, 1e-4, "torch.optim.Adam", "[4, 8]")] == ["–", "0.0001", "Adam", "[4, 8]"]
