"""An optimizer that is chosen on the command line gets none of another's arguments from the file of a method.

Hydra merges what a method says of its optimizer, such as the decay of running means, into whatever optimizer there is.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from conf.chosen_files import given_keys, last_choice, overridden_in, said_by

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
    given = given_keys(arguments)
    taken_out = []
    for place, name in filter(None, map(_chosen, arguments)):
        chosen = said_by("optimizer", name)
        said = {key for node in _descriptions(arguments) for key in (node.get(place) or {})} if chosen else set()
        others = [f"model.{place}.{key}" for key in sorted(said - {*chosen})]
        taken_out += [f"~{key}" for key in others if key not in given]
    return [*taken_out, *arguments]


def _chosen(argument: str) -> tuple[str, str] | None:
    found = CHOICE.fullmatch(argument)
    return (found[1], found[2]) if found else None


def _descriptions(arguments: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield what files say of the method of a command line: an experiment, the method's file, and those that it is based on."""
    experiment = said_by("experiment", last_choice("experiment", arguments))
    yield experiment.get("model") or {}
    usual = next(entry["model"] for entry in said_by("", "train")["defaults"] if "model" in entry)
    yield from _with_bases(last_choice("model", arguments) or overridden_in(experiment, "model") or usual)


def _with_bases(name: str) -> Iterator[Mapping[str, Any]]:
    described = said_by("model", name)
    yield described
    for entry in described.get("defaults", []):
        if isinstance(entry, str) and entry != "_self_" and not entry.endswith("@_global_"):
            yield from _with_bases(entry.partition("@")[0])
