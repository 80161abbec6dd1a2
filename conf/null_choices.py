"""A choice of null on the command line, which Hydra itself has in files only: the group is left out."""

from collections.abc import Sequence
from pathlib import Path

from conf.schema.sentences import listed

FOLDER = Path(__file__).parent
ELSEWHERE = ("sweep",)
"""Groups whose files lie in another package."""
NEEDED = ("corruption", "data", "trainer")
"""Groups that no run does without."""


def with_null_choices(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which a group that is set to null is deleted.

    Args:
        arguments: overrides and options, as the user gave them.

    Raises:
        ValueError: for null in a list of choices, and for a group that no run does without.

    >>> with_null_choices(["scheduler@model.scheduler=null", "resume=null", "logger=null"])
    ['~scheduler@model.scheduler', 'resume=null', '~logger']
    """
    for argument in arguments:
        _check(argument)
    return [f"~{argument.partition('=')[0]}" if _is_null_choice(argument) else argument for argument in arguments]


def _check(argument: str) -> None:
    """Refuse null where a choice has to be named."""
    key, _, value = argument.partition("=")
    among_others = value.startswith("[") and "null" in [name.strip() for name in value.strip("[]").split(",")]
    if is_group(key) and (among_others or (value == "null" and key in NEEDED)):
        raise ValueError(f"{argument} must be {'a list of' if among_others else 'one of'} {listed(names_of(key))}")


def _is_null_choice(argument: str) -> bool:
    key, _, value = argument.partition("=")
    return value == "null" and is_group(key)


def names_of(key: str) -> list[str]:
    """Return the files that there are of a group, with or without its place behind an @."""
    return sorted(path.stem for path in (FOLDER / key.partition("@")[0]).glob("*.yaml"))


def is_group(key: str) -> bool:
    """Say whether a key of the command line names a group of files, with or without its place behind an @."""
    group = key.partition("@")[0]
    return bool(group) and group[0] not in "~+-" and (group in ELSEWHERE or (FOLDER / group).is_dir())
