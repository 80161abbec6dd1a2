"""How a wrong value is told: in one sentence with the key, the value, and what is allowed."""

import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST = 80


class SchemaError(ValueError):
    """A key of the configuration holds what it may not, is missing, or is none."""


def shown(value: Any) -> str:
    """Return a value as a user writes it, shortened.

    >>> shown(None), shown(True), shown([1, 0.5, "a"]), shown(float("nan")), shown("")
    ('null', 'true', '[1, 0.5, a]', 'nan', "''")
    """
    text = _written(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_written(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return value if value.strip() and value.isprintable() else f"'{json.dumps(value)[1:-1]}'"
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def listed(names: Iterable[Any], joint: str = "and") -> str:
    """Return names as a sentence lists them.

    >>> listed(["a", "b", "c"], "or"), listed(["a"])
    ('a, b or c', 'a')
    """
    *others, last = [str(name) for name in names] or ["nothing"]
    return f"{', '.join(others)} {joint} {last}" if others else last


def nearest(given: Any, names: Sequence[str]) -> str:
    """Return a suggestion to follow a sentence, if a name is near to what was given.

    >>> nearest("weiner", ["sinc", "wiener"])
    '; did you mean wiener?'
    """
    found = difflib.get_close_matches(given, names, n=1, cutoff=0.6) if isinstance(given, str) and given not in names else []
    return f"; did you mean {found[0]}?" if found else ""
