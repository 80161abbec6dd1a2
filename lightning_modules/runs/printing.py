"""Names and texts that others chose, as they can be printed: in one line, and without anything a terminal would obey."""

from collections.abc import Iterable

from machine.console import printable

LONGEST = 200
"""Characters of a value in a message."""


def short(value: object, longest: int = LONGEST) -> str:
    """Return what `printable` does, cut in the middle if it is long.

    >>> short("abcdefghijkl", 9)
    'abc...jkl'
    """
    text = printable(str(value)[: 100 * longest])
    part = (longest - 3) // 2
    return text if len(text) <= longest else f"{text[:part]}...{text[len(text) - part :]}"


def listed(values: Iterable[object], most: int = 3) -> str:
    """Return the first of some names, and how many more there are.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    names = list(values)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(short(name, 80) for name in names[:most]) + more


def one_line(error: BaseException, longest: int = 600) -> str:
    """Return what an error says in one printable line, its kind if it says nothing."""
    return short(" ".join(str(error).split()) or type(error).__name__, longest)
