"""Names and texts that others chose, as they can be printed: in one line, and without anything a terminal would obey."""

from collections.abc import Iterable

LONGEST = 200
"""Characters of a value in a message."""


def printable(text: object) -> str:
    r"""Return a text with everything that is not to be seen written as an escape.

    Those are line breaks and other control characters, invisible marks such as those that turn the direction of writing, and the
    bytes of a file name that are no characters.

    >>> print(printable("a\nb\x1b[31m.wav"))
    a\nb\x1b[31m.wav
    >>> printable("Čekám na déšť.flac")
    'Čekám na déšť.flac'
    """
    return "".join(letter if letter.isprintable() else _escape(letter) for letter in str(text))


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


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
