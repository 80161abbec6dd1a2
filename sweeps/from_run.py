"""The command line of an earlier run, to be trained once more: `train.py --from-run RUN`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra import initialize_config_module

from conf.compose import config_of
from conf.spelling import spelled
from lightning_modules.runs.made_with import overrides_of
from sweeps.arguments import as_hydra_takes
from sweeps.dry_run import planned_job
from sweeps.isolation import quoted

OPTION, KEY = "--from-run", "from_run"
OWN = ("resume", "rerun", "run_name", "run_dir", "run_id", "dry_run", "sweep_hours", KEY)
"""Keys that say which run is meant, or what to do with it: an earlier run does not hand them on."""
FOLLOWING = (*OWN, "group", "job_type", "choices", "logger")
"""Keys whose values follow from those, or change nothing that is computed."""


def with_earlier_run(arguments: Sequence[str]) -> list[str]:
    """Return a command line that configures a run as the earlier one that it names was, but for what it says itself.

    What the earlier command line said comes first, then what has to be set because the defaults have changed since, then the
    rest. A group that is chosen beside has the values of its own file.

    Args:
        arguments: overrides and options, as the user gave them, `--from-run RUN` or `from_run=RUN` perhaps among them.

    Raises:
        ValueError: if that is no run folder, or its configuration cannot be composed any more.
    """
    given = _with_key(arguments)
    named = [argument.partition("=")[2] for argument in given if argument.startswith(f"{KEY}=")]
    if not named or named[-1] in ("null", ""):
        return given
    folder = Path(named[-1].strip("\"'"))
    stored = config_of(folder)
    if stored is None:
        raise ValueError(f"{OPTION} {folder}: no run folder, which has a config.yaml that can be read")
    if "resume" not in stored:
        raise ValueError(f"{OPTION} {folder}: an evaluation, which has trained nothing; name the folder of a training")
    said = [override for override in overrides_of(folder) or _choices(stored) if _key(override) not in OWN]
    with initialize_config_module("conf"):
        composed = planned_job("train", as_hydra_takes(said)[0]).settings.config
    places = {_place(argument) for argument in given if not argument.startswith("-")}
    added = [*said, *settled(stored, composed)]
    return [*(override for override in added if override not in given and not _is_under(override, places)), *given]


def settled(stored: Mapping[str, Any], composed: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield overrides that give a configuration the values of a stored one; keys that are new since then stay.

    Args:
        stored: the values to have.
        composed: those there are.
        place: of both, with a dot at its end.

    >>> list(settled({"a": {"b": 1, "c": 2}, "d": None}, {"a": {"b": 1, "c": 3}, "e": 4}))
    ['++a.c=2']
    >>> list(settled({"a": {"_target_": "x", "b": 1}}, {"a": {"_target_": "y"}}))
    ['~a', "+a={_target_: 'x', b: 1}"]
    """
    for key, value in stored.items():
        now, name = composed.get(key), f"{place}{key}"
        if now == value or name in FOLLOWING:
            continue
        if isinstance(value, Mapping) and isinstance(now, Mapping) and value.get("_target_") == now.get("_target_"):
            yield from settled(value, now, f"{name}.")
        elif isinstance(now, Mapping):
            yield from (f"~{name}", f"+{name}={spelled(value)}")
        else:
            yield f"++{name}={spelled(value)}"


def _with_key(arguments: Sequence[str]) -> list[str]:
    """Return a command line with the key in place of the option."""
    found = list(arguments)
    if OPTION in found:
        place = found.index(OPTION)
        if place + 1 == len(found) or found[place + 1].startswith("-"):
            raise ValueError(f"{OPTION} needs the folder of a run behind it")
        found[place : place + 2] = [f"{KEY}={quoted(found[place + 1])}"]
    return [f"{KEY}={quoted(text.partition('=')[2])}" if text.startswith(f"{OPTION}=") else text for text in found]


def _choices(stored: Mapping[str, Any]) -> list[str]:
    """Return the choices that a configuration names, of a run that does not say what its command line was."""
    return [f"{group}={name}" for group, name in (stored.get("choices") or {}).items() if name]


def _key(override: str) -> str:
    return override.lstrip("+~").partition("=")[0]


def _place(override: str) -> str:
    """Return where an override puts its value: of `optimizer@model.optimizer=adam` that is model.optimizer."""
    key = _key(override)
    return key.partition("@")[2] or key


def _is_under(override: str, places: set[str]) -> bool:
    place = _place(override)
    return any(place == other or place.startswith(f"{other}.") for other in places)
