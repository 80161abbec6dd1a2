"""Describe an object by its class and its settings, in the same words in every process and on every machine."""

import functools
import hashlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from torch import Tensor

_FIRST_NAMES = {"RandomApply": "Sometimes"}
"""Of classes that were renamed: hashes of earlier evaluations hold the name they had then."""


class Described:
    """An object of other people's with what it was made with, which alone describes it: not what it remembers of its last call.

    Attributes:
        value: the object.
        description: of its class and settings as they were at first.
    """

    def __init__(self, value: Any) -> None:
        """Describe the object before its first call; by its class alone if it holds itself."""
        self.value = value
        try:
            self.description = describe(value)
        except RecursionError:
            self.description = _name(type(value))


def describe(value: Any) -> str:
    """Write a value so that two objects made from the same settings read the same, and others do not.

    Python's own `repr` contains memory addresses, orders sets at random and shortens arrays.

    Args:
        value: numbers, text, paths, collections, arrays, functions, or objects with attributes, nested at will; objects that
            are written in C are told by their properties.
            Of paths only the last part is written: the same files lie elsewhere on the next machine. An attribute
            `skipped` is left out: it tells what was found to be unusable, not what was asked for.

    Example:
        >>> describe({"snr_db": [0, 20.0], "color": None})
        "{'color': None, 'snr_db': [0, 20.0]}"
    """
    if isinstance(value, str | int | float | bool | None):
        return repr(value)
    if isinstance(value, os.PathLike):
        return repr(os.path.basename(os.fspath(value)))
    if isinstance(value, Tensor | np.ndarray):
        return _describe_array(np.asarray(value.detach().cpu() if isinstance(value, Tensor) else value))
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{key!r}: {describe(item)}" for key, item in value.items())) + "}"
    if isinstance(value, set | frozenset):
        return "{" + ", ".join(sorted(map(describe, value))) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(describe, value)) + "]"
    return _describe_object(value)


def _name(kind: type) -> str:
    return _FIRST_NAMES.get(kind.__qualname__, kind.__qualname__)


def _describe_array(array: np.ndarray) -> str:
    return f"{array.dtype}{array.shape}:{hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]}"


def _describe_object(value: Any) -> str:
    if isinstance(value, functools.partial):
        return f"{describe(value.func)}({describe(value.args)}, {describe(value.keywords)})"
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if isinstance(value, Described):
        return value.description
    settings = ", ".join(f"{name}={describe(item)}" for name, item in sorted(_attributes(value).items()) if name != "skipped")
    return f"{_name(type(value))}({settings})"


def _attributes(value: Any) -> dict[str, Any]:
    if hasattr(value, "__dict__"):
        return dict(vars(value))
    kind = type(value)
    return {name: getattr(value, name) for name in dir(kind) if name[0] != "_" and isinstance(getattr(kind, name), property)}
