"""The declaration of a key, and the check of a group of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conf.schema.kinds import Kind, Place
from conf.schema.sentences import SchemaError, listed, nearest, shown

HYDRA_KEYS = ("_target_", "_partial_")
"""What Hydra itself reads in the description of an object."""


@dataclass(frozen=True)
class Key:
    """What is known of a key.

    Attributes:
        kind: of its values.
        meaning: in a plain sentence.
        unit: of its values; empty for none.
        required: whether it has to be given.
    """

    kind: Kind
    meaning: str
    unit: str = ""
    required: bool = False


Keys = Mapping[str, Key]


def needed(kind: Kind, meaning: str, unit: str = "") -> Key:
    """Declare a key that has to be given."""
    return Key(kind, meaning, unit, required=True)


def check_keys(values: Mapping[str, Any], keys: Keys, place: Place, instead: Mapping[str, str], of: str | None = None) -> None:
    """Refuse keys that are unknown, missing or wrong.

    Args:
        values: by name.
        keys: that there are.
        place: of the group.
        instead: by the name of a key that there is not: what to use in its place.
        of: names the group in a sentence about an unknown key.
    """
    for name, value in values.items():
        if name not in keys:
            raise SchemaError(_unknown(str(name), value, keys, place, instead, of))
    for name, key in keys.items():
        if name in values:
            key.kind.check(values[name], place.at(name, key.unit))
        elif key.required:
            raise SchemaError(f"{place.at(name).name} is missing; it must be {key.kind.allowed(key.unit)}")


def _unknown(name: str, value: Any, keys: Keys, place: Place, instead: Mapping[str, str], of: str | None) -> str:
    given = f"{place.at(name).name}={shown(value)} is no key"
    if name in instead:
        return f"{given}; {instead[name]}"
    where = of or place.name or "the configuration"
    return f"{given}; {where} has {listed(keys)}{nearest(name, list(keys))}"
