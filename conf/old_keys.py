"""Keys of the configuration that have another name or place now: the old ones still work, and a line tells the new one."""

from collections.abc import Mapping
from typing import Any

LOGGER_KEYS = ("project", "name", "save_dir", "offline", "id", "resume", "group", "job_type", "tags")
OLD_KEYS = {
    "model.shaping.least_gain": "model.shaping.min_delta",
    "model.base": "init_from",
    "early_stopping_patience": "callbacks.early_stopping.patience",
    **{f"logger.{key}": f"logger.wandb.{key}" for key in LOGGER_KEYS},
}
GROUPS = {"early_stopping_patience": ("callbacks", "early_stopping")}
"""Of old keys that belong to a choice of a group now: the group and the choice."""


def with_present_keys(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Return a command line with the keys that there are now, and a sentence for each that was changed.

    Args:
        arguments: overrides and options, as the user gave them.

    >>> with_present_keys(["seed=1", "+model.shaping.least_gain=0.1"])
    (['seed=1', '+model.shaping.min_delta=0.1'], ['model.shaping.least_gain is now model.shaping.min_delta'])
    >>> with_present_keys(["early_stopping_patience=5"])[0]
    ['callbacks.early_stopping.patience=5', 'callbacks=[early_stopping]']
    """
    changed: list[str] = []
    told: list[str] = []
    chosen: list[tuple[str, str]] = []
    for argument in arguments:
        key, equals, value = argument.partition("=")
        name = key.lstrip("+~")
        if name not in OLD_KEYS:
            changed.append(argument)
            continue
        told.append(_sentence(name))
        if name in GROUPS and value in ("null", ""):  # without the choice there is nothing to set
            continue
        chosen += [GROUPS[name]] if name in GROUPS else []
        changed.append(f"{key.replace(name, OLD_KEYS[name])}{equals}{value}")
    for group, choice in chosen:
        changed = _with_choice(changed, group, choice)
    return changed, told


def check_groups_chosen(config: Mapping[str, Any]) -> None:
    """Refuse an old key that a file sets, where only a command line could choose what it belongs to now.

    Raises:
        ValueError: naming the key.
    """
    for name in GROUPS:
        if config.get(name) is not None:
            raise ValueError(f"{name}={config[name]}: {_sentence(name)}")


def _sentence(name: str) -> str:
    group = "".join(f"{group}={choice} " for group, choice in [GROUPS[name]]) if name in GROUPS else ""
    return f"{name} is now {group}{OLD_KEYS[name]}"


def _with_choice(arguments: list[str], group: str, choice: str) -> list[str]:
    """Return a command line that chooses this of a group too."""
    others = [argument for argument in arguments if not argument.startswith(f"{group}=")]
    given = [argument.partition("=")[2].strip("[]") for argument in arguments if argument not in others]
    names = [name for value in given[-1:] for name in value.split(",") if name not in ("", "null", choice)]
    return [*others, f"{group}=[{','.join([*names, choice])}]"]
