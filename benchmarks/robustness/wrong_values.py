"""Wrong values for every key of the configuration, by the type and the range that the schema declares."""

import math
from collections.abc import Callable, Iterator
from typing import Any

from conf.schema.classes import CLASSES
from conf.schema.corruption import Effect
from conf.schema.declaration import Keys
from conf.schema.keys import Node, Section, Table
from conf.schema.kinds import Either, Flag, Kind, ListOf, Nothing, Number, OneOf, Only, Span, Whole
from conf.schema.texts import Duration, FolderName, Identifier, Text

NO_NUMBER = [math.nan, math.inf, -math.inf, "44.1k", "fast", "", True, [], {}]
NO_TEXT = ["", "  ", "a\nb", 3, 1.5, True, [], {}]


def wrong_values(kind: Kind) -> list[Any]:
    """Return values of which none is of this kind, for a reason of its own."""
    match kind:
        case Either(kinds):
            return [value for inner in kinds for value in wrong_values(inner) if not any(map(fitting(value), kinds))]
        case Whole(low, high):
            return [*NO_NUMBER, low - 1, high + 1, low - 100, high * 10 + 1, low + 0.5, None]
        case Number(low, high, above, below):
            ends = [low] * above + [high] * below
            return [*NO_NUMBER, *ends, low - 1, high + 1, -abs(high) * 10 - abs(low) - 1, high * 2 + 1, None]
        case Span(end):
            return [*wrong_values(end), [1], [1, 2, 3], [2.0, 1.0], ["a", "b"], [math.nan, math.nan]]
        case ListOf(entry, shortest):
            empty: list[Any] = [[]] if shortest else []
            return [*empty, "abc", 3, None, True, *([value] * max(shortest, 1) for value in wrong_values(entry))]
        case Flag():
            return ["maybe", "yes", 0, 1, None, [], 0.5]
        case OneOf():
            return ["unheard_of", "", 3, True, None, [], kind.names()[0] + "x"]
        case Duration():
            return [-1, "5m", "", "00:00:00:00", "1:2:3", 60, None, [], True, "00:00:00:-5"]
        case FolderName():
            return [*NO_TEXT, "..", "../../x", "/tmp/x", "a/../b", "x" * 300, None]
        case Identifier():
            return [*NO_TEXT, "my package", "a.b", "../x", None]
        case Effect():
            return [*NO_TEXT, "over drive", {"overdrive": 3}, {"overdrive": {}, "phaser": {}}, None]
        case Text():
            return [*NO_TEXT, None]
        case Only(value):
            return [not value, "maybe", None, 1, []]
        case Nothing():
            return [3, "abc", True, [1], 1.5, {"a": 1}]
        case Section() | Node() | Table():
            return [3, "abc", True, [1], 1.5]
    raise NotImplementedError(kind)


def fitting(value: Any) -> Callable[[Kind], bool]:
    """Return what tells whether a value is of a kind."""
    return lambda kind: kind.fits(value)


def places(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any], Keys]]:
    """Yield every description of an object, with its place and the keys of its class."""
    if isinstance(node, dict):
        if "_target_" in node:
            yield place, node, CLASSES[node["_target_"]]
        for name, inner in node.items():
            if place or name != "test_trainer":
                yield from places(inner, f"{place}.{name}" if place else name)
    for number, inner in enumerate(node) if isinstance(node, list) else ():
        yield from places(inner, f"{place}[{number}]")


def nested(keys: Keys, values: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any], str, Kind]]:
    """Yield every key, with the dict that holds it and its kind, also of the groups within."""
    for name, key in keys.items():
        yield f"{place}.{name}" if place else name, values, name, key.kind
        for kind in key.kind.kinds if isinstance(key.kind, Either) else (key.kind,):
            if isinstance(kind, Section) and isinstance(values.get(name), dict):
                yield from nested(kind.keys, values[name], f"{place}.{name}" if place else name)
