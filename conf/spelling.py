"""Values as Hydra's command line has them."""

from typing import Any


def spelled(value: Any) -> str:
    r"""Write a value; a text with a reference in it stays one.

    >>> spelled({"a": [1, 0.5, None], "b": True, "c": "it's"})
    "{a: [1, 0.5, null], b: true, c: 'it\\'s'}"
    """
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {spelled(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(spelled, value)) + "]"
    if isinstance(value, str) and "${" not in value:
        return "'" + value.replace("'", "\\'") + "'"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
