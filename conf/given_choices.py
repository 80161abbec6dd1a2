"""Choices on the command line that no file can have; what Hydra says of them names neither the key nor what is allowed."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from conf.null_choices import is_group, names_of
from conf.schema.sentences import listed, shown


def check_choices(arguments: Sequence[str]) -> None:
    """Refuse numbers and the like where a file of a group is named, and other values of the keys that Hydra sets.

    Args:
        arguments: overrides and options, as the user gave them.

    Raises:
        ValueError: naming the key, what was given and what is allowed.

    >>> check_choices(["trainer=cpu", "logger=[csv,wandb]", "seed=3"])
    >>> check_choices(["choices.model=x"])
    Traceback (most recent call last):
        ...
    ValueError: choices.model=x must not be given: it follows model=NAME, data=NAME and corruption=NAME
    """
    for argument in arguments:
        key, equals, value = argument.lstrip("+").partition("=")
        if equals and key.partition(".")[0] == "choices":
            given = shown(value.strip("\"'"))
            raise ValueError(f"{key}={given} must not be given: it follows model=NAME, data=NAME and corruption=NAME")
        if equals and is_group(key) and not all(_may_be_name(part) for part in value.strip("[]").split(",")):
            raise ValueError(f"{key}={value} must be {listed(names_of(key), 'or')}")


def choices_of(script: str) -> list[str]:
    """Return the groups of which the configuration of a script takes a file.

    >>> choices_of("evaluate")
    ['trainer', 'model', 'corruption', 'data', 'logger']
    """
    defaults = yaml.safe_load((Path(__file__).parent / f"{script}.yaml").read_text(encoding="utf-8"))["defaults"]
    return [name for entry in defaults if isinstance(entry, dict) for name in entry if not name.startswith("override ")]


def _may_be_name(text: str) -> bool:
    try:
        return isinstance(yaml.safe_load(text), str | None)
    except yaml.YAMLError:
        return True  # for Hydra's grammar to judge
