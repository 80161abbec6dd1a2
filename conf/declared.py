"""What a class declares in its body, read without importing it: most methods import torch, which takes seconds."""

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def declared(target: str, attribute: str) -> Any:
    """Return a class attribute that is written as a plain value, of the class or of the first of its bases that has it.

    Args:
        target: the dotted path of a class of this project.
        attribute: its name.

    Returns:
        The value; None if neither the class nor a base sets it, or there is no such class.

    >>> declared("lightning_modules.base.OracleModule", "is_oracle")
    True
    """
    module, _, name = target.rpartition(".")
    for node in _body(module):
        if isinstance(node, ast.ImportFrom) and name in (alias.name for alias in node.names):
            return declared(f"{node.module}.{name}", attribute)
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = (declared(f"{module}.{base.id}", attribute) for base in node.bases if isinstance(base, ast.Name))
            own = (ast.literal_eval(value) for value in _values(node, attribute))
            return next((value for found in (own, bases) for value in found if value is not None), None)
    return None


def _values(node: ast.ClassDef, attribute: str) -> list[ast.expr]:
    """Return what a class body assigns to an attribute."""
    lines = [line for line in node.body if isinstance(line, ast.Assign | ast.AnnAssign)]
    assigned = [(line.targets if isinstance(line, ast.Assign) else [line.target], line.value) for line in lines]
    named = [(value, [name.id for name in targets if isinstance(name, ast.Name)]) for targets, value in assigned]
    return [value for value, names in named if value is not None and attribute in names]


@cache
def _body(module: str) -> list[ast.stmt]:
    spec = find_spec(module) if module.split(".")[0] in ("lightning_modules", "models") else None
    return ast.parse(Path(spec.origin).read_text()).body if spec and spec.origin else []
