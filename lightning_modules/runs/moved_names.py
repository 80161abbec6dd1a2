"""Names that classes had before they moved, so that older checkpoints open and older runs go on."""

from typing import Any

MOVED = {
    "lightning_modules.shaping": "lightning_modules.training.shaping",
    "lightning_modules.warm_up": "lightning_modules.training.warm_up",
}
"""Of every module that a `_target_` in a checkpoint or a run may name: where it was, and where it is."""
_FIRST = {now: before for before, now in MOVED.items()}


def present_names(node: Any) -> Any:
    """Return a description whose `_target_`s are where the classes are now.

    >>> present_names({"_target_": "lightning_modules.shaping.Shaping", "patience": 2})
    {'_target_': 'lightning_modules.training.shaping.Shaping', 'patience': 2}
    """
    return _renamed(node, MOVED)


def first_names(node: Any) -> Any:
    """Return a description as it was written before any class moved: what is compared across versions."""
    return _renamed(node, _FIRST)


def _renamed(node: Any, names: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _target(value, names) if key == "_target_" else _renamed(value, names) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [_renamed(value, names) for value in node]
    return node


def _target(name: Any, names: dict[str, str]) -> Any:
    module, _, leaf = str(name).rpartition(".")
    return f"{names[module]}.{leaf}" if module in names else name
