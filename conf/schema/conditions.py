"""The conditions of an evaluation: listed values of the corruption's keys, each checked as if it stood in the corruption."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from conf.schema.classes import CLASSES
from conf.schema.corruption import CORRUPTION
from conf.schema.data import DATA, SOURCES
from conf.schema.declaration import Key, Keys, check_keys
from conf.schema.heard import RANDOM_APPLY, SHARES, SPLITS, heard, paths, whole
from conf.schema.kinds import Kind, ListOf, Place
from conf.schema.sentences import SchemaError, shown

OF_DATA = "data."
"""Before a key of the data, among those of the corruption."""


@dataclass(frozen=True)
class Condition:
    """One corruption to evaluate in.

    Attributes:
        label: its values in a line, with units.
        values: by the key of the corruption, as they were listed.
        corruption: the whole description, these values in their places.
        data: those of the values that say which recordings are used, by key of the data.
    """

    label: str
    values: Mapping[str, Any]
    corruption: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Values(Kind):
    """A list of different values of one kind; where that is a list itself, an entry of it stands for the list of it alone."""

    kind: Kind

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, list) and bool(value) and all(self.kind.fits(self.placed(entry)) for entry in value)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"a list of different values, each {self.kind.allowed(unit)}"

    def placed(self, entry: Any) -> Any:
        """Return an entry as it stands in the corruption."""
        return [entry] if isinstance(self.kind, ListOf) and not isinstance(entry, list) else entry

    def check(self, value: Any, place: Place) -> None:
        """Refuse what is no list, is empty, repeats itself, or holds a value that the corruption does not take."""
        if not isinstance(value, list) or not value or any(entry in value[:number] for number, entry in enumerate(value)):
            raise SchemaError(f"{place.name}={shown(value)} must be {self.allowed(place.unit)}")
        for number, entry in enumerate(value):
            self.kind.check(self.placed(entry), place.item(number))


def conditions_of(config: Mapping[str, Any]) -> list[Condition]:
    """Return every combination of the listed values, the last key changing fastest; none if none are listed.

    Args:
        config: of an evaluation, resolved; `conditions` lists values by the key of the corruption, or by `data.` and that of
            the source.

    Raises:
        SchemaError: naming the key, what was given and what is allowed.
    """
    listed, corruption = config["conditions"], config["data"]["corruption"]
    if listed is None:
        return []
    place = Place("conditions", plugins=config["plugins"], classes=CLASSES)
    keys = _keys(corruption, config["data"], place)
    check_keys(listed, keys, place, {}, f"the corruption ({corruption['_target_']})")
    combinations = [dict(zip(listed, values, strict=True)) for values in product(*listed.values())]
    return [_condition(values, keys, corruption) for values in combinations if values]


def _keys(corruption: Mapping[str, Any], data: Mapping[str, Any], place: Place) -> Keys:
    declared = CORRUPTION.keys_of(corruption["_target_"], corruption, place)
    of_source = {f"{OF_DATA}{name}": key for name, key in SOURCES.get(data["source"]["_target_"], {}).items() if name not in DATA}
    return {name: Key(Values(key.kind), key.meaning, key.unit) for name, key in {**declared, **of_source}.items()}


def _condition(values: Mapping[str, Any], keys: Keys, corruption: Mapping[str, Any]) -> Condition:
    placed = {name: kind.placed(value) for name, value in values.items() if isinstance(kind := keys[name].kind, Values)}
    texts = (f"{name}={shown(value)}{f' {keys[name].unit}' if keys[name].unit else ''}" for name, value in values.items())
    data = {name.removeprefix(OF_DATA): value for name, value in placed.items() if name.startswith(OF_DATA)}
    own = {name: value for name, value in placed.items() if not name.startswith(OF_DATA)}
    return Condition(", ".join(texts), values, {**corruption, **own}, data)


def are_known(data: Mapping[str, Any], trained: Mapping[str, Any]) -> bool:
    """Say whether a training had recordings of the same folders and of the same choice.

    Args:
        data: of a condition, by key.
        trained: all keys of the training's data.

    >>> are_known({"root": "/a"}, {"root": ["/b", "/a/"]}), are_known({"root": "/c"}, {"root": "/a"})
    (True, False)
    """
    return all(
        paths(value) <= paths(trained.get(name)) if name.endswith("root") else trained.get(name) == value
        for name, value in data.items()
    )


def is_seen(corruption: Mapping[str, Any], trained: Any, listed: Collection[str] = ()) -> bool:
    """Say whether a training heard all of a corruption: some step of it is of the same class, and spans its values.

    Args:
        corruption: in question, resolved.
        trained: the corruption of the training, resolved; one of several steps too.
        listed: keys that the conditions differ in. Only if it is among them does it count which recordings of a folder are used.

    >>> noise = {"_target_": "datamodules.corruptions.noise.Noise", "colors": ["white", "pink"], "snr_db": [0, 15]}
    >>> is_seen({**noise, "colors": "pink", "snr_db": 5}, noise), is_seen({**noise, "snr_db": 20}, noise)
    (True, False)
    >>> effects = {"_target_": "datamodules.corruptions.torchaudio_effects.TorchaudioEffects"}
    >>> trained = {**effects, "effects": [{"overdrive": {"gain": [5, 30]}}]}
    >>> [is_seen({**effects, "effects": [{"overdrive": {"gain": gain}}]}, trained) for gain in (17.5, 40)]
    [True, False]
    """
    if isinstance(trained, list):
        return any(is_seen(corruption, step, listed) for step in trained)
    if not isinstance(trained, Mapping):
        return False
    target = trained.get("_target_")
    if target == corruption["_target_"] and _spans(trained, corruption, listed):
        return True
    if target == RANDOM_APPLY and trained.get("probability") == 0:
        return False
    return any(is_seen(corruption, inner, listed) for inner in trained.values() if isinstance(inner, Mapping | list))


def _spans(trained: Mapping[str, Any], corruption: Mapping[str, Any], listed: Collection[str]) -> bool:
    known, shares = whole(trained), SHARES.get(corruption["_target_"], ())
    for name, value in heard(corruption).items():
        if name in SPLITS:
            spanned = name not in listed or _recordings(known[name], "train") >= _recordings(value, "test")
        elif name in shares:
            spanned = 0 < known[name] < 1 or known[name] == value
        else:
            spanned = _covers(known.get(name), value)
        if not spanned:
            return False
    return True


def _recordings(split: str | None, matching: str) -> set[str]:
    """Return the splits of a folder whose recordings are used; `matching` is the split that is worked on."""
    if split is None:
        return {"train", "val", "test"}
    return {matching if split == "matching" else split}


def _covers(known: Any, value: Any) -> bool:
    """Say whether values drawn from `value` are among those drawn from `known`: ranges of numbers, lists of names, or groups."""
    known, value = (list(entry) if isinstance(entry, tuple) else entry for entry in (known, value))
    if _is_range(known) and _is_range(value):
        (low, high), (lowest, highest) = _ends(known), _ends(value)
        return bool(low <= lowest and highest <= high)
    if isinstance(known, dict) and isinstance(value, dict):
        return known.keys() == value.keys() and all(_covers(known[name], value[name]) for name in known)
    if isinstance(known, list) and isinstance(value, list) and all(isinstance(entry, dict) for entry in (*known, *value)):
        return len(known) == len(value) and all(map(_covers, known, value))
    if isinstance(known, list) and all(isinstance(entry, str) for entry in known):
        return all(entry in known for entry in (value if isinstance(value, list) else [value]))
    return bool(known == value) or (isinstance(known, str) and value == [known])


def _is_range(value: Any) -> bool:
    ends = value if isinstance(value, list) and len(value) == 2 else [value]
    return all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends)


def _ends(value: Any) -> tuple[float, float]:
    return (value[0], value[1]) if isinstance(value, list) else (value, value)
