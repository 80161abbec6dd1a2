"""A corruption that is chosen beside an experiment has the values of its own file, and none that the experiment gives to another.

Hydra merges an experiment's keys into whatever corruption there is. What they would change of another one is taken back here.
"""

from collections.abc import Sequence
from typing import Any

from conf.chosen_files import given_keys, last_choice, overridden_in, said_by


def with_own_corruption(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which no key of an experiment's corruption reaches another that is chosen.

    Args:
        arguments: overrides and options, as the user gave them. What they say of the corruption's keys holds.

    >>> with_own_corruption(["experiment=denoise_music", "corruption=amplifier"])
    ['corruption.snr_db=[0, 20]', '~corruption.colors', 'experiment=denoise_music', 'corruption=amplifier']
    >>> with_own_corruption(["experiment=denoise_music", "corruption=noise"])
    ['experiment=denoise_music', 'corruption=noise']
    """
    name = last_choice("corruption", arguments)
    experiment, chosen = said_by("experiment", last_choice("experiment", arguments)), said_by("corruption", name)
    if not experiment or not chosen or name == overridden_in(experiment, "corruption"):
        return list(arguments)
    given = given_keys(arguments)
    keys = [key for key in experiment.get("corruption") or {} if f"corruption.{key}" not in given]
    own = [f"corruption.{key}={_spelled(chosen[key])}" for key in keys if key in chosen]
    return [*own, *(f"~corruption.{key}" for key in keys if key not in chosen), *arguments]


def _spelled(value: Any) -> str:
    """Write a value as Hydra's command line has it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_spelled(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_spelled, value)) + "]"
    if isinstance(value, str) and "${" not in value:
        return "'" + value.replace("'", "\\'") + "'"
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
