"""A choice of null on the command line, which Hydra itself has in files only: the group is left out."""

from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
ELSEWHERE = ("sweep",)
"""Groups whose files lie in another package."""


def with_null_choices(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which a group that is set to null is deleted.

    Args:
        arguments: overrides and options, as the user gave them.

    >>> with_null_choices(["scheduler@model.scheduler=null", "resume=null", "logger=null"])
    ['~scheduler@model.scheduler', 'resume=null', '~logger']
    """
    return [f"~{argument.partition('=')[0]}" if _is_null_choice(argument) else argument for argument in arguments]


def _is_null_choice(argument: str) -> bool:
    key, _, value = argument.partition("=")
    group = key.partition("@")[0]
    return value == "null" and bool(group) and group[0] not in "~+-" and (group in ELSEWHERE or (FOLDER / group).is_dir())
