"""docs/configuration.md, written from the declarations."""

import inspect
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from conf.schema.classes import GROUPS
from conf.schema.constructors import constructor_defaults
from conf.schema.declaration import Key, Keys
from conf.schema.defaults import Found, found_values
from conf.schema.keys import Node, Section, Table
from conf.schema.kinds import Either, Kind
from conf.schema.run import EVALUATE, TRAIN
from conf.schema.sentences import shown
from conf.schema.trainer import INSTEAD, TRAINER

HEAD = """# Configuration

Every key, with the values it takes. Written by `python -m conf.schema > docs/configuration.md` from the declarations in
conf/schema, by which every command is checked before data are read and before a folder is made.

`python train.py --cfg job` prints a configuration; `python train.py KEY=VALUE` changes it. Whole groups are chosen by the name of
a file in conf: `model=unet`, `optimizer@model.optimizer=adam`, `scheduler@model.scheduler=null`. A column says what files of
this project set (several values where they differ), or else what is taken if the key is left out.

What no file that is chosen sets is added by `+KEY=VALUE`; only the arguments of the trainer need no plus.

A class that is not listed, of this project or of a package in `plugins`, takes what its constructor takes, and the annotations
of the constructor are checked.
"""
LIGHTNING = """
## Arguments of Lightning's Trainer

What is a key works with one optimizer and with several, as its row says. What is none is refused in a sentence that says what to
use in its place; so no argument is taken without effect.

| argument | key here | meaning, or what to use in its place |
|---|---|---|
"""
TABLE = "| key | default | allowed | unit | meaning |\n|---|---|---|---|---|\n"


def page() -> str:
    """Return the text of the page."""
    found = found_values()
    parts = [HEAD, "\n## conf/train.yaml\n\n", _table(TRAIN, found["train"], {})]
    parts += ["\n## conf/evaluate.yaml\n\n", _table(EVALUATE, found["evaluate"], {})]
    for group, classes in GROUPS.items():
        parts.append(f"\n## {group}\n")
        parts += [
            f"\n### {target}\n\n{_table(keys, found[target], constructor_defaults(target))}" for target, keys in classes.items()
        ]
        if not classes:
            parts.append("\nNone is declared; each takes what its constructor takes.\n")
    return "".join([*parts, LIGHTNING, *_lightning_rows()])


def _lightning_rows() -> Iterator[str]:
    """Yield a row for every argument of Lightning's trainer: the key it is, or what is said of it where it is none.

    Raises:
        KeyError: about an argument that neither is a key nor has a sentence.
    """
    arguments = inspect.signature(import_module("pytorch_lightning").Trainer).parameters
    for name in sorted(arguments):
        key, told = (f"`trainer.{name}`", TRAINER[name].meaning) if name in TRAINER else ("no key", f"refused: {INSTEAD[name]}")
        yield f"| `{name}` | {key} | {told} |\n"


def _table(keys: Keys, found: Found, constructor: Mapping[str, Any]) -> str:
    rows = [
        f"| {' | '.join(cell.replace('|', '&#124;') for cell in (f'`{name}`', default, allowed, key.unit, key.meaning))} |"
        for name, key, default, allowed in _rows(keys, found, constructor)
    ]
    return TABLE + "\n".join(rows) + "\n"


def _rows(keys: Keys, found: Found, constructor: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Key, str, str]]:
    for name, key in keys.items():
        full = f"{place}{name}"
        section = section_in(key.kind)
        if section is not None:
            yield from _rows(section.keys, found, {}, f"{full}.")
        else:
            values = found.get(full) or ([constructor[name]] if name in constructor else [])
            node = node_in(key.kind)
            allowed = key.kind.allowed() if node is None else f"`_target_`: the class of a {node.what}, and its arguments"
            yield full, key, "" if node else " / ".join(map(_default, values)), allowed


def _default(value: Any) -> str:
    if isinstance(value, str) and value.startswith("${"):
        return f"follows {value[2:-1]}" if value.count("${") == 1 and ":" not in value else f"`{value}`"
    return shown(list(value) if isinstance(value, tuple) else value)


def section_in(kind: Kind) -> Section | None:
    """Return the group of keys in a kind, None if it has none."""
    found: Section | None = _inner(kind, Section)
    return found


def node_in(kind: Kind) -> Node | None:
    """Return the description of an object in a kind, None if it has none."""
    found: Node | None = _inner(kind, Node)
    return found


def _inner(kind: Kind, wanted: type[Any]) -> Any:
    if isinstance(kind, Either):
        return next((found for inner in kind.kinds if (found := _inner(inner, wanted))), None)
    if isinstance(kind, Table):
        return _inner(kind.entry, wanted)
    return kind if isinstance(kind, wanted) else None
