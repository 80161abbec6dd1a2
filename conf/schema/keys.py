"""A declaration of a key, and groups of them: plain ones, and those that describe an object to be created."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conf.schema.constructors import OWN, keys_named
from conf.schema.declaration import HYDRA_KEYS, Keys, check_keys
from conf.schema.kinds import Flag, Kind, Place
from conf.schema.sentences import SchemaError, listed, nearest, shown


@dataclass(frozen=True)
class Group(Kind):
    """What has keys of its own, and says itself what is wrong with one of them."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, dict)

    def explains(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, dict)


@dataclass(frozen=True)
class Section(Group):
    """A group of keys.

    Attributes:
        keys: by name.
        instead: by the name of a key that there is not: what to use in its place.
    """

    keys: Keys
    instead: Mapping[str, str] = field(default_factory=dict)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"a group of the keys {listed(self.keys)}"

    def check(self, value: Any, place: Place) -> None:
        """Refuse what is no group, and a key in it that is unknown, missing or wrong."""
        super().check(value, place)
        check_keys(value, self.keys, place, self.instead)


@dataclass(frozen=True)
class Table(Group):
    """Names that the user chooses, each with a value of one kind."""

    entry: Kind
    what: str = "names"

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"a group of {self.what}, each with {self.entry.allowed(unit)}"

    def check(self, value: Any, place: Place) -> None:
        """Refuse what is no group, and an entry in it that is wrong."""
        super().check(value, place)
        for name, inner in value.items():
            self.entry.check(inner, place.at(str(name), place.unit))


@dataclass(frozen=True)
class Node(Group):
    """The description of an object to be created: `_target_` and the arguments of its constructor.

    Attributes:
        what: the object is, in a word.
        classes: that are declared, by dotted path, with their keys.
        home: beginnings of the paths of such classes, declared here or not.
        partial: whether the constructor gets its last arguments later.
        instead: as of `Section`.
    """

    what: str
    classes: Mapping[str, Keys]
    home: Sequence[str]
    partial: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"the description of a {self.what}: _target_ and its arguments"

    def check(self, value: Any, place: Place) -> None:
        """Refuse what describes no such object."""
        super().check(value, place)
        target = value.get("_target_")
        if not isinstance(target, str) or not target.strip():
            raise SchemaError(f"{place.name}._target_={shown(target)} must be the class of a {self.what}: {self._known()}")
        if "_partial_" in value:
            Flag().check(value["_partial_"], place.at("_partial_"))
        if self.partial and value.get("_partial_") is not True:
            raise SchemaError(f"{place.name}._partial_={shown(value.get('_partial_'))} must be true")
        arguments = {name: inner for name, inner in value.items() if name not in HYDRA_KEYS}
        check_keys(arguments, self.keys_of(target, value, place), place, self.instead, f"{place.name} ({target})")

    def keys_of(self, target: str, value: Mapping[str, Any], place: Place) -> Keys:
        """Return the keys of a class: as declared, or as its constructor has them.

        Raises:
            SchemaError: if it may not be used here, or there is none.
        """
        if target in self.classes:
            return self.classes[target]
        root = target.split(".")[0]
        if root in OWN and root not in place.plugins and not target.startswith(tuple(self.home)):
            known = f"{self._known()}{nearest(target, list(self.classes))}"
            raise SchemaError(f"{place.name}._target_={target} must be the class of a {self.what}: {known}")
        return keys_named(target, self.partial, place)

    def _known(self) -> str:
        return listed(self.classes, "or")
