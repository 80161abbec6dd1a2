"""What a class declares in its body, read without importing it: most methods import torch, which takes seconds."""

import ast
from collections.abc import Sequence
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, resolve_name
from pathlib import Path
from typing import Any

OWN_PACKAGES = ("lightning_modules", "models")


def declared(target: str, attribute: str, trusted: Sequence[str] = ()) -> Any:
    """Return a class attribute that is written as a plain value, of the class or of the first of its bases that has it.

    Args:
        target: the dotted path of a class.
        attribute: its name.
        trusted: names of packages that are read beside those of this project.

    Returns:
        The value; None if neither the class nor a base sets it, or there is no such class.

    >>> declared("lightning_modules.base.OracleModule", "is_oracle")
    True
    """
    module, _, name = target.rpartition(".")
    if module.split(".")[0] not in (*OWN_PACKAGES, *trusted):
        return None
    imported = _imported(module)
    for node in _body(module):
        if isinstance(node, ast.ClassDef) and node.name == name:
            bases = (declared(_full_name(ast.unparse(base), module, imported), attribute, trusted) for base in node.bases)
            own = (ast.literal_eval(value) for value in _values(node, attribute))
            return next((value for found in (own, bases) for value in found if value is not None), None)
    return declared(imported[name], attribute, trusted) if name in imported else None


def _full_name(written: str, module: str, imported: dict[str, str]) -> str:
    """Return the dotted path of a base class as it is written in a module."""
    head, dot, rest = written.partition(".")
    return f"{imported[head]}{dot}{rest}" if head in imported else f"{module}.{written}"


def _values(node: ast.ClassDef, attribute: str) -> list[ast.expr]:
    """Return what a class body assigns to an attribute."""
    lines = [line for line in node.body if isinstance(line, ast.Assign | ast.AnnAssign)]
    assigned = [(line.targets if isinstance(line, ast.Assign) else [line.target], line.value) for line in lines]
    named = [(value, [name.id for name in targets if isinstance(name, ast.Name)]) for targets, value in assigned]
    return [value for value, names in named if value is not None and attribute in names]


@cache
def _imported(module: str) -> dict[str, str]:
    """Return the dotted path of every name that a module imports at its top."""
    found: dict[str, str] = {}
    for node in _body(module):
        if isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), _package_of(module))
            found |= {alias.asname or alias.name: f"{source}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.asname: alias.name for alias in node.names if alias.asname}
            found |= {head: head for alias in node.names if not alias.asname for head in [alias.name.partition(".")[0]]}
    return found


def _package_of(module: str) -> str:
    spec = _spec_of(module)
    return (spec.parent if spec else None) or module


@cache
def _body(module: str) -> list[ast.stmt]:
    spec = _spec_of(module)
    return ast.parse(Path(spec.origin).read_text(encoding="utf-8")).body if spec and spec.origin else []


def _spec_of(module: str) -> ModuleSpec | None:
    try:
        return find_spec(module)
    except ImportError:
        return None
