"""The files of this project keep to the schema, and the schema to the constructors."""

import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hydra import compose, initialize_config_module

from benchmarks.robustness.choices import CHOICES, NAMES, SWEEPS, files
from conf.compose import plain
from conf.schema.check import check_evaluate, check_train
from conf.schema.classes import CLASSES
from conf.schema.constructors import constructor_keys, target_named
from conf.schema.kinds import Place
from conf.schema.page import page
from conf.schema.sentences import SchemaError

ROOT = Path(__file__).parents[3]
LATER = {"params", "optimizer"}
"""First arguments, which optimizers and schedules get when they are created."""
MANY = (
    "pytorch_lightning.Trainer",
    "pytorch_lightning.loggers.CSVLogger",
    "pytorch_lightning.loggers.TensorBoardLogger",
    "lightning_modules.runs.tracking.open_wandb",
)
"""Classes of other projects, of whose arguments not all are keys."""


def described(node: Any) -> Iterator[str]:
    """Yield the classes that a configuration names."""
    if isinstance(node, dict):
        yield from [node["_target_"]] if "_target_" in node else []
        node = list(node.values())
    for inner in node if isinstance(node, list) else ():
        yield from described(inner)


@pytest.mark.parametrize("choice", [" ".join(choice) for choice in CHOICES])
def test_every_choice_keeps_to_the_schema_and_names_declared_classes_only(composed: dict[str, Any], choice: str) -> None:
    check_train(composed[choice])
    undeclared = set(described(composed[choice])) - set(CLASSES)
    assert not undeclared, f"declare the keys of {undeclared} in a file of conf/schema, as docs/extending.md tells"


def test_evaluation_keeps_to_the_schema(evaluation: dict[str, Any]) -> None:
    check_evaluate(evaluation)


@pytest.mark.parametrize("name", files(SWEEPS))
def test_every_sweep_and_its_first_job_keep_to_the_schema(name: str) -> None:
    text = (SWEEPS / f"{name}.yaml").read_text(encoding="utf-8")
    if "optuna" in text:
        pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    params = yaml.safe_load(text)["hydra"]["sweeper"]["params"]
    first = [f"{key}={str(values).split(',')[0]}" for key, values in params.items() if "(" not in str(values)]
    with initialize_config_module("conf"):
        check_train(plain(compose("train", overrides=[*NAMES, f"sweep={name}", *first])))


@pytest.mark.parametrize("target", [target for target in CLASSES if target != "datamodules.restoration.restoration_data"])
def test_declared_keys_are_the_arguments_of_the_constructor(target: str) -> None:
    constructor = target_named(target, Place(target))
    arguments = dict(constructor_keys(constructor, partial=False))
    declared = set(CLASSES[target])
    if target in MANY:
        taken = set(inspect.signature(constructor).parameters) | {"entity", "group", "job_type", "tags", "notes", "resume"}
        assert declared <= taken | {"project", "name", "save_dir", "offline", "id", "log_model", "prefix"}
        return
    later = LATER if target.startswith(("torch.optim.", "lightning_modules.training.muon.")) else set()
    assert declared == set(arguments) - later
    needed = {name for name, key in arguments.items() if key.required} - later
    assert {name for name, key in CLASSES[target].items() if key.required} == needed


def test_keys_of_the_data_are_the_arguments_of_the_data_module() -> None:
    from datamodules.restoration import RestorationDataModule

    assert set(CLASSES["datamodules.restoration.restoration_data"]) == set(inspect.signature(RestorationDataModule).parameters)


def test_every_key_has_a_sentence_of_meaning() -> None:
    for target, keys in CLASSES.items():
        for name, key in keys.items():
            assert key.meaning.endswith("."), (target, name)


def test_page_is_what_the_declarations_say() -> None:
    assert (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8") == page(), (
        "python -m conf.schema > docs/configuration.md"
    )


def test_keys_that_no_class_has_are_refused_at_every_level(composed: dict[str, Any]) -> None:
    config = composed["model=mugan_small"]
    places = [(), ("trainer",), ("data",), ("data", "max_recordings"), ("model",), ("model", "net"), ("model", "loss_weights")]
    for place in [*places, ("model", "discriminator"), ("model", "warm_up"), ("model", "generator_optimizer"), ("choices",)]:
        changed = with_value(config, (*place, "odd_key"), 1)
        with pytest.raises(SchemaError, match=r"\.?".join([*place, "odd_key=1 is no key"])):
            check_train(changed)


def test_refusal_of_a_plain_value_does_not_wait_for_torch() -> None:
    program = """
import sys
from conf.schema.check import check_train
try:
    check_train({"seed": -1})
except ValueError as error:
    print(error)
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["seed=-1 must be a whole number from 0 to 4294967295", "False"]


def with_value(config: dict[str, Any], place: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Return a configuration with another value in one place."""
    head, *rest = place
    return {**config, head: with_value(config[head], tuple(rest), value) if rest else value}
