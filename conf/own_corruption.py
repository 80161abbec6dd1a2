"""A corruption that is chosen beside an experiment has the values of its own file, and none that the experiment gives to another.

Hydra merges an experiment's keys into whatever corruption there is. What they would change of another one is taken back here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from conf.null_choices import FOLDER

OVERRIDE = "override /corruption"


def with_own_corruption(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which no key of an experiment's corruption reaches another that is chosen.

    Args:
        arguments: overrides and options, as the user gave them. What they say of the corruption's keys holds.

    >>> with_own_corruption(["experiment=denoise_music", "corruption=amplifier"])
    ['corruption.snr_db=[0, 20]', '~corruption.colors', 'experiment=denoise_music', 'corruption=amplifier']
    >>> with_own_corruption(["experiment=denoise_music", "corruption=noise"])
    ['experiment=denoise_music', 'corruption=noise']
    """
    experiment, chosen = _file_of("experiment", arguments), _file_of("corruption", arguments)
    if not experiment or not chosen or _choice("corruption", arguments) == _corruption_of(experiment):
        return list(arguments)
    given = {argument.lstrip("+~").partition("=")[0] for argument in arguments}
    keys = [key for key in experiment.get("corruption") or {} if f"corruption.{key}" not in given]
    own = [f"corruption.{key}={_spelled(chosen[key])}" for key in keys if key in chosen]
    return [*own, *(f"~corruption.{key}" for key in keys if key not in chosen), *arguments]


def _choice(group: str, arguments: Sequence[str]) -> str:
    """Return the last name that is given of a group, or nothing."""
    names = [argument.partition("=")[2] for argument in arguments if argument.lstrip("+").startswith(f"{group}=")]
    return names[-1] if names else ""


def _file_of(group: str, arguments: Sequence[str]) -> Mapping[str, Any]:
    """Return what the file of a choice says; nothing where none is chosen, several are, or it is not one of ours."""
    path = FOLDER / group / f"{_choice(group, arguments)}.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {} if path.is_file() else {}


def _corruption_of(experiment: Mapping[str, Any]) -> str:
    """Return the name of the corruption that an experiment chooses."""
    entries = [entry for entry in experiment.get("defaults", []) if isinstance(entry, dict)]
    return next((str(entry[OVERRIDE]) for entry in entries if OVERRIDE in entry), "")


def _spelled(value: Any) -> str:
    """Write a value as Hydra's command line has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_spelled(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    if isinstance(value, str) and "${" not in value:
        return "'" + value.replace("'", "\\'") + "'"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
