"""What a key may hold: a kind says whether a value fits, and in words what is allowed."""

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from conf.schema.sentences import SchemaError, listed, nearest, shown

LARGEST = 2**63 - 1
"""Limit of whole numbers without limits."""


@dataclass(frozen=True)
class Place:
    """Where a value stands.

    Attributes:
        name: its full dotted key.
        unit: of the value; empty for none.
        plugins: packages, beside this project's, whose classes may be named.
        classes: what is declared of classes, by their dotted path.
    """

    name: str
    unit: str = ""
    plugins: Sequence[str] = ()
    classes: Mapping[str, Any] = field(default_factory=dict)

    def at(self, key: str, unit: str = "") -> "Place":
        """Return the place of a key below this one."""
        return replace(self, name=f"{self.name}.{key}" if self.name else key, unit=unit)

    def item(self, number: int) -> "Place":
        """Return the place of an entry of a list that stands here."""
        return replace(self, name=f"{self.name}[{number}]")


@dataclass(frozen=True)
class Kind:
    """What values a key takes. A subclass says which, or checks more deeply."""

    def fits(self, value: Any) -> bool:
        """Say whether a value is of this kind."""
        raise NotImplementedError

    def allowed(self, unit: str = "") -> str:
        """Say in words what is allowed, to follow "must be"."""
        raise NotImplementedError

    def hint(self, value: Any) -> str:
        """Return what else helps with a wrong value, to follow the sentence; mostly nothing."""
        return ""

    def explains(self, value: Any) -> bool:
        """Say whether a value is meant for this kind, which then says what is wrong deep inside of it."""
        return False

    def check(self, value: Any, place: Place) -> None:
        """Refuse a value of another kind.

        Raises:
            SchemaError: naming the key, the value and what is allowed.
        """
        if not self.fits(value):
            raise SchemaError(f"{place.name}={shown(value)} must be {self.allowed(place.unit)}{self.hint(value)}")


@dataclass(frozen=True)
class Flag(Kind):
    """True or false."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, bool)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "true or false"


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number within limits, both included."""

    low: int
    high: int

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return type(value) is int and self.low <= value <= self.high

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        if self.low == self.high:
            return str(self.low)
        limits = "" if self.high >= LARGEST else f" from {self.low} to {self.high}"
        return f"a whole number{limits}{_in(unit)}"

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        whole = isinstance(value, float) and value.is_integer() and self.fits(int(value))
        return f"; write {int(value)}" if whole else ""


@dataclass(frozen=True)
class Number(Kind):
    """A finite number within limits; `above` and `below` leave out the lower and the upper one."""

    low: float
    high: float
    above: bool = False
    below: bool = False

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        if type(value) not in (int, float) or not math.isfinite(value):
            return False
        high_enough = value > self.low if self.above else value >= self.low
        return bool(high_enough and (value < self.high if self.below else value <= self.high))

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        if self.high >= sys.float_info.max:
            return f"a number{_in(unit)}"
        low = f"above {self.low:g}" if self.above else f"from {self.low:g}"
        high = f"below {self.high:g}" if self.below else f"to {self.high:g}" if not self.above else f"at most {self.high:g}"
        return f"a number {low}{' and' if self.above or self.below else ''} {high}{_in(unit)}"


@dataclass(frozen=True)
class OneOf(Kind):
    """One of some names; `options` may be a function, where they belong to a module that is slow to import."""

    options: Sequence[str] | Callable[[], Sequence[str]]

    def names(self) -> Sequence[str]:
        """Return the names."""
        return self.options() if callable(self.options) else self.options

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, str) and value in self.names()

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return listed(self.names(), "or")

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        return nearest(value, self.names())


@dataclass(frozen=True)
class Only(Kind):
    """One value alone."""

    value: Any

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return type(value) is type(self.value) and bool(value == self.value)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return shown(self.value)


@dataclass(frozen=True)
class Nothing(Kind):
    """Null."""

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return value is None

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return "null"


@dataclass(frozen=True)
class Either(Kind):
    """A value of one of several kinds."""

    kinds: tuple[Kind, ...]

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        return any(kind.fits(value) for kind in self.kinds)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        *others, last = [kind.allowed("" if isinstance(kind, Nothing) else unit) for kind in self.kinds]
        return f"{', '.join(others)}, or {last}" if others else last

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        return next((hint for kind in self.kinds if (hint := kind.hint(value))), "")

    def check(self, value: Any, place: Place) -> None:
        """Refuse what fits none, and let a kind that looks deeper say what is wrong with what is meant for it."""
        deep = next((kind for kind in self.kinds if kind.explains(value)), None)
        (deep.check if deep else super().check)(value, place)


@dataclass(frozen=True)
class ListOf(Kind):
    """A list whose entries are of one kind."""

    entry: Kind
    shortest: int = 1
    longest: int = 10_000

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        counted = isinstance(value, list | tuple) and self.shortest <= len(value) <= self.longest
        return counted and all(self.entry.fits(entry) for entry in value)

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        count = f"{self.shortest} " if self.shortest == self.longest else "one or more " if self.shortest == 1 else ""
        return f"a list of {count}entries, each {self.entry.allowed(unit)}"

    def hint(self, value: Any) -> str:
        """See `Kind`."""
        wrong = [entry for entry in value if not self.entry.fits(entry)] if isinstance(value, list | tuple) else []
        return self.entry.hint(wrong[0]) if wrong else ""

    def explains(self, value: Any) -> bool:
        """See `Kind`."""
        return isinstance(value, list | tuple) and bool(value) and all(self.entry.explains(entry) for entry in value)

    def check(self, value: Any, place: Place) -> None:
        """Refuse another length; entries that are described in depth say themselves what is wrong with them."""
        if self.explains(value) and len(value) >= self.shortest:
            for number, entry in enumerate(value):
                self.entry.check(entry, place.item(number))
        else:
            super().check(value, place)


@dataclass(frozen=True)
class Span(Kind):
    """A number, or `[low, high]` between which one is drawn."""

    end: Kind

    def fits(self, value: Any) -> bool:
        """See `Kind`."""
        if not isinstance(value, list | tuple):
            return self.end.fits(value)
        return len(value) == 2 and all(self.end.fits(end) for end in value) and bool(value[0] <= value[1])

    def allowed(self, unit: str = "") -> str:
        """See `Kind`."""
        return f"{self.end.allowed(unit)}, or a list [low, high] of two such with low not above high"


def nullable(kind: Kind) -> Kind:
    """Allow null too."""
    return Either((kind, Nothing()))


def constant(module: str, name: str) -> Callable[[], Sequence[str]]:
    """Return a function that gives the names in a module's constant, importing it only then."""
    return lambda: list(getattr(import_module(module), name))


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""
