"""Packages of other people: which may be trusted beside our own, and what is said of a class that no trusted one defines."""

import importlib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

OWN = ("models", "lightning_modules", "datamodules", "conf", "sweeps", "clarion", "train", "evaluate", "restore", "compare")
UNDERLYING = ("torch", "torchmetrics", "pytorch_lightning", "lightning_fabric", "hydra", "omegaconf", "numpy", "scipy", "wandb")
"""What the project stands on: whoever trusted one of these would trust every function that a file can name in it."""


def import_plugins(names: object, option: str = "plugins") -> tuple[str, ...]:
    """Import packages, so that they register what they bring, and return their names.

    Args:
        names: of installed packages, as `import` takes them.
        option: through which they were named, for messages.

    Raises:
        ValueError: if one is no name of a package, is ours or one that the project stands on, is not installed, or fails.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ValueError(f"{option}={names} must be a list of packages, such as [mypackage]")
    plugins = tuple(str(name) for name in names)
    for name in plugins:
        _import(name, option)
    return plugins


def _import(name: str, option: str) -> None:
    if not name.isidentifier():
        raise ValueError(f"{option}: {name!r} is not the name of a package, as `import` takes it")
    if not may_be_plugin(name):
        raise ValueError(f"{option}: {name} is part of this project, of Python or of what both stand on, and no plugin")
    if importlib.util.find_spec(name) is None:
        raise ValueError(f"{option}: no package {name} is installed in {sys.prefix}; install it with pip")
    try:
        importlib.import_module(name)
    except Exception as error:  # whatever the package does when it is imported
        raise ValueError(f"{option}: importing {name} failed: {type(error).__name__}: {error}") from error


def may_be_plugin(name: str) -> bool:
    """Say whether a name can be that of other people's package.

    >>> may_be_plugin("mypackage"), may_be_plugin("os"), may_be_plugin("torch")
    (True, False, False)
    """
    return name.isidentifier() and name not in (*OWN, *UNDERLYING) and name not in sys.stdlib_module_names


def whitelist(packages: Iterable[str], trusted: Sequence[str]) -> list[str]:
    """Return the patterns of classes that may be created.

    >>> whitelist(["models", "torch.optim"], ["mypackage"])
    ['models.*', 'torch.optim.*', 'mypackage.*']
    """
    return [f"{package}.*" for package in (*packages, *trusted)]


def is_from(name: str, packages: Iterable[str]) -> bool:
    """Say whether a dotted name lies in one of some packages."""
    return any(name.startswith(f"{package}.") for package in packages)


def advice(target: str) -> str:
    """Return how to allow a class that was refused, for the end of a message; nothing if it should never be allowed."""
    package = target.partition(".")[0]
    if not may_be_plugin(package):
        return ""
    return f"; if you trust the package {package}, add plugins=[{package}] (restore.py: --trust {package})"


def plugin_folders(trusted: Iterable[str]) -> list[Path]:
    """Return the folders of packages that hold several files."""
    specs = [importlib.util.find_spec(name) for name in trusted]
    return [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]
