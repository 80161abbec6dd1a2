"""The dotted names of all keys that are declared, in the places that they have in the configurations of this project."""

from collections.abc import Iterator

from conf.schema.data import SOURCES, DataNode
from conf.schema.declaration import Keys
from conf.schema.keys import Node, Section
from conf.schema.kinds import Either, Kind
from conf.schema.logger import LOGGERS, NAMED
from conf.schema.run import EVALUATE, TRAIN

DEEPEST = 3
"""Levels below a group that are named; corruptions may hold corruptions without end."""


def known_keys() -> list[str]:
    """Return every dotted name, once."""
    loggers = (f"logger.{name}.{key}" for name, target in NAMED.items() for key in LOGGERS[target])
    return list(dict.fromkeys([*_below(TRAIN, ""), *_below(EVALUATE, ""), *loggers]))


def groups_in(kind: Kind) -> Iterator[Keys]:
    """Yield the groups of keys that a value of a kind may have."""
    if isinstance(kind, Either):
        for inner in kind.kinds:
            yield from groups_in(inner)
    elif isinstance(kind, Section):
        yield kind.keys
    elif isinstance(kind, Node):
        yield from [*kind.classes.values(), *(SOURCES.values() if isinstance(kind, DataNode) else ())]


def _below(keys: Keys, place: str) -> Iterator[str]:
    for name, key in keys.items():
        full = f"{place}.{name}" if place else name
        yield full
        for inner in groups_in(key.kind):
            if full != "data.corruption" and full.count(".") < DEEPEST:
                yield from _below(inner, full)
