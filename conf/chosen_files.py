"""What a command line chooses of a group of files, and what such a file says, before Hydra reads either."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from conf.null_choices import FOLDER


def last_choice(group: str, arguments: Sequence[str]) -> str:
    """Return the last name that is given of a group, or nothing.

    >>> last_choice("model", ["model=unet", "seed=1", "+model=mugan"])
    'mugan'
    """
    names = [argument.partition("=")[2] for argument in arguments if argument.lstrip("+").startswith(f"{group}=")]
    return names[-1] if names else ""


def said_by(group: str, name: str) -> Mapping[str, Any]:
    """Return what a file of a group says; nothing where there is none, as for several choices or a plugin's."""
    path = FOLDER / group / f"{name}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}


def overridden_in(experiment: Mapping[str, Any], group: str) -> str:
    """Return the choice of a group that an experiment makes, or nothing.

    >>> overridden_in({"defaults": [{"override /model": "unet"}]}, "model")
    'unet'
    """
    entries = [entry for entry in experiment.get("defaults", []) if isinstance(entry, dict)]
    return next((str(entry[f"override /{group}"]) for entry in entries if f"override /{group}" in entry), "")


def given_keys(arguments: Sequence[str]) -> set[str]:
    """Return the keys that a command line sets, adds or takes away.

    >>> sorted(given_keys(["seed=1", "+a.b=2", "~c"]))
    ['a.b', 'c', 'seed']
    """
    return {argument.lstrip("+~").partition("=")[0] for argument in arguments}
