"""The whole key of what a constructor found wrong, which knows its arguments by their own names only."""

import re
from collections.abc import Sequence
from typing import Any

from omegaconf import DictConfig, ListConfig

NOTE = "full_key: "
"""How the note begins by which Hydra says where in a configuration an exception was raised."""

STANDS_FOR = {"data.corruption": "corruption"}
"""Nodes that are filled in from others, where users set them."""


def with_whole_key(message: str, notes: Sequence[str], node: DictConfig) -> str:
    """Put the place of a node before a message that begins with one of its keys.

    Args:
        message: of a constructor, such as `snr_db=[5, 1] is not a range`.
        notes: of its exception; the first one of Hydra's names the innermost node.
        node: that was created, with others inside.

    Returns:
        The message as it is if it begins with no key of that node.
    """
    told = next((note.removeprefix(NOTE) for note in notes if note.startswith(NOTE)), "")
    found = _place(told, node)
    begins = re.match(r"\w+", message)
    if found is None or begins is None or begins.group() not in found[1]:
        return message
    place = next((user + found[0][len(own) :] for own, user in STANDS_FOR.items() if found[0].startswith(own)), found[0])
    return f"{place}.{message}"


def _place(told: str, node: DictConfig) -> tuple[str, DictConfig] | None:
    """Return the key and the node that Hydra means by one in which an entry of a list is `name0`; None if there is none."""
    place = str(node._get_full_key(None))
    if not told.startswith(place):
        return None
    inner: Any = node
    for part in filter(None, told[len(place) :].split(".")):
        name, number = re.fullmatch(r"(.*?)(\d*)", part, re.DOTALL).groups()  # type: ignore[union-attr]
        if isinstance(inner, DictConfig) and part in inner:
            inner, place = inner[part], f"{place}.{part}"
        elif isinstance(inner, DictConfig) and isinstance(inner.get(name), ListConfig) and number:
            inner, place = inner[name][int(number)], f"{place}.{name}[{number}]"
        else:
            return None
    return (place, inner) if isinstance(inner, DictConfig) else None
