"""An optimizer that is chosen on the command line gets none of another's arguments from the file of a method.

Hydra merges what a method says of its optimizer, such as the decay of running means, into whatever optimizer there is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from conf.null_choices import FOLDER

CHOICE = re.compile(r"optimizer@model\.(\w+)=(\w+)")


def with_own_optimizer(arguments: Sequence[str]) -> list[str]:
    """Return a command line without arguments that a chosen optimizer does not have; those it gives itself are refused later.

    Args:
        arguments: overrides and options, as the user gave them.

    >>> with_own_optimizer(["model=conv_rnn", "optimizer@model.optimizer=sgd"])
    ['~model.optimizer.betas', 'model=conv_rnn', 'optimizer@model.optimizer=sgd']
    >>> with_own_optimizer(["model=conv_rnn", "optimizer@model.optimizer=adam"])
    ['model=conv_rnn', 'optimizer@model.optimizer=adam']
    """
    given = {argument.lstrip("+~").partition("=")[0] for argument in arguments}
    taken_out = []
    for place, name in filter(None, map(_chosen, arguments)):
        chosen = _read(FOLDER / "optimizer" / f"{name}.yaml")
        said = {key for node in _descriptions(arguments) for key in (node.get(place) or {})} if chosen else set()
        others = [f"model.{place}.{key}" for key in sorted(said - {*chosen})]
        taken_out += [f"~{key}" for key in others if key not in given]
    return [*taken_out, *arguments]


def _chosen(argument: str) -> tuple[str, str] | None:
    found = CHOICE.fullmatch(argument)
    return (found[1], found[2]) if found else None


def _descriptions(arguments: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what files say of the method of a command line: an experiment, the method's file, and those that it is based on."""
    experiment = _read(FOLDER / "experiment" / f"{_last('experiment', arguments)}.yaml")
    yield experiment.get("model") or {}
    entries = [entry for entry in experiment.get("defaults", []) if isinstance(entry, dict)]
    of_experiment = next((entry["override /model"] for entry in entries if "override /model" in entry), "")
    usual = next(entry["model"] for entry in _read(FOLDER / "train.yaml")["defaults"] if "model" in entry)
    yield from _with_bases(_last("model", arguments) or of_experiment or usual)


def _with_bases(name: str) -> Iterator[Mapping[str, Any]]:
    described = _read(FOLDER / "model" / f"{name}.yaml")
    yield described
    for entry in described.get("defaults", []):
        if isinstance(entry, str) and entry != "_self_" and not entry.endswith("@_global_"):
            yield from _with_bases(entry.partition("@")[0])


def _last(group: str, arguments: Sequence[str]) -> str:
    names = [argument.partition("=")[2] for argument in arguments if argument.lstrip("+").startswith(f"{group}=")]
    return names[-1] if names else ""


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a file says; nothing where there is none, as for several choices or a plugin's."""
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}
