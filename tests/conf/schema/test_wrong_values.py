"""Three wrong values, drawn by type and range, for every key: each is refused by the key's name."""

import math
import random
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from conf.compose import FOLDER
from conf.schema.check import check_evaluate, check_train
from conf.schema.classes import CLASSES
from conf.schema.constructors import AnyText
from conf.schema.data import SOURCES
from conf.schema.declaration import Keys
from conf.schema.keys import Node, Section, Table
from conf.schema.kinds import Either, Flag, Kind, ListOf, Nothing, Number, OneOf, Only, Place, Span, Whole
from conf.schema.run import EVALUATE, TRAIN
from conf.schema.sentences import SchemaError
from conf.schema.texts import Duration, FolderName, Identifier, Text
from tests.conf.schema.choices import files

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
        case Text():
            return [*NO_TEXT, None]
        case Only(value):
            return [not value, "maybe", None, 1, []]
        case Nothing():
            return [3, "abc", True, [1], 1.5, {"a": 1}]
        case Section() | Node() | Table():
            return [3, "abc", True, [1], 1.5]
    raise NotImplementedError(kind)


def fitting(value: Any) -> Any:
    return lambda kind: kind.fits(value)


def drawn(kind: Kind, name: str) -> list[Any]:
    """Return three wrong values, the same ones for every run of the tests."""
    return random.Random(zlib.crc32(name.encode())).sample(wrong_values(kind), 3)


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


def refused(check: Any, config: dict[str, Any], keys: Keys, values: dict[str, Any], place: str) -> int:
    """Try three wrong values of each key in a configuration, in turn, and return how many there were."""
    tried = 0
    for full, holder, name, kind in nested(keys, values, place):
        before = {**holder}
        for value in drawn(kind, full):
            holder[name] = value
            with pytest.raises(SchemaError) as refusal:
                check(config)
            assert full in str(refusal.value).split("=")[0] or f"{full} " in str(refusal.value), (full, value, refusal.value)
            tried += 1
        holder.clear()
        holder.update(before)
    return tried


def test_wrong_values_of_the_keys_of_a_training_are_refused(composed: dict[str, Any]) -> None:
    config = composed["model=unet_small"]
    assert refused(check_train, config, TRAIN, config, "") == 3 * len(list(nested(TRAIN, config, "")))


def test_wrong_values_of_the_keys_of_an_evaluation_are_refused(evaluation: dict[str, Any]) -> None:
    assert refused(check_evaluate, evaluation, EVALUATE, evaluation, "") > 60


def test_wrong_values_of_the_keys_of_every_class_that_a_file_names_are_refused(composed: dict[str, Any]) -> None:
    seen: set[tuple[str, str]] = set()
    for config in composed.values():
        for place, node, keys in places({name: inner for name, inner in config.items() if name != "data"}):
            group = place.partition(".")[0].partition("[")[0]
            if (group, node["_target_"]) not in seen:
                seen.add((group, node["_target_"]))
                refused(check_train, config, keys, node, place)
    named = {target for _, target in seen}
    assert named >= set(CLASSES) - NOT_IN_FILES


NOT_IN_FILES = {
    "lightning_modules.adversarial.AdversarialModule",
    "datamodules.restoration.restoration_data",
    *SOURCES,
}
"""Tried by the tests below."""


@pytest.mark.parametrize("target", sorted(NOT_IN_FILES))
def test_wrong_values_of_the_keys_of_other_classes_are_refused(target: str) -> None:
    for name, key in CLASSES[target].items():
        for value in drawn(key.kind, f"{target}.{name}"):
            with pytest.raises(SchemaError, match=f"group\\.{name}"):
                key.kind.check(value, Place("group", classes=CLASSES).at(name, key.unit))


@pytest.mark.parametrize("source", files(FOLDER / "data"))
def test_wrong_values_of_the_keys_of_the_data_are_refused(composed: dict[str, Any], source: str) -> None:
    config = composed[f"data={source}"]
    keys = {**CLASSES[config["data"]["source"]["_target_"]], **CLASSES[config["data"]["_target_"]]}
    assert refused(check_train, config, keys, config["data"], "data") > 60


def test_text_of_a_plugin_may_be_empty() -> None:
    AnyText().check("", Place("a"))
