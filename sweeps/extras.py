"""One sentence in place of Hydra's list of groups, when a sweep needs a package that is not installed."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import yaml

SWEEPS = Path(__file__).parent / "sweep"
PLUGINS = {
    "ray": "hydra_plugins.hydra_ray_launcher",
    "submitit_local": "hydra_plugins.hydra_submitit_launcher",
    "submitit_slurm": "hydra_plugins.hydra_submitit_launcher",
    "optuna": "hydra_plugins.hydra_optuna_sweeper",
}
"""Choices of hydra/launcher and hydra/sweeper, and the package that brings each."""


def missing_extra(arguments: Sequence[str]) -> str | None:
    """Return a sentence about the first choice on a command line that is not installed, None if all are.

    Args:
        arguments: of the script; `sweep=NAME` counts with what its file chooses.
    """
    for group, choice in _choices(arguments):
        plugin = PLUGINS.get(choice)
        if plugin is not None and not _is_installed(plugin):
            return f"{group}={choice} needs packages that are not installed; add them with: pip install -e '.[sweeps]'"
    return None


def _is_installed(plugin: str) -> bool:
    try:
        return find_spec(plugin) is not None
    except ModuleNotFoundError:  # not even the namespace
        return False


def _choices(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key, _, value in (argument.partition("=") for argument in arguments):
        if key in ("hydra/launcher", "hydra/sweeper"):
            yield key, value
        path = SWEEPS / f"{value}.yaml"
        if key == "sweep" and path.is_file():
            yield from _chosen_by(path)


def _chosen_by(path: Path) -> Iterator[tuple[str, str]]:
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")).get("defaults", []):
        for key, value in entry.items() if isinstance(entry, dict) else ():
            yield key.removeprefix("override ").lstrip("/"), str(value)
