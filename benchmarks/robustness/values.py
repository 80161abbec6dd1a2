"""Wrong values for every key, on the command lines of the scripts: each is one sentence, and nothing is left behind."""

import importlib
import os
import random
import shutil
import sys
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from hydra import compose, initialize_config_module
from hydra.core.override_parser.types import Quote, QuotedString

from benchmarks.robustness.choices import CHOICES, NAMES
from benchmarks.robustness.commands import Spoken, require_sentences, spoken
from benchmarks.robustness.tally import Case, Tally, count_held, require
from benchmarks.robustness.wrong_values import nested, places, wrong_values
from conf.compose import plain
from conf.schema.classes import CLASSES
from conf.schema.kinds import Kind
from conf.schema.run import EVALUATE, TRAIN
from conf.schema.sentences import shown
from conf.settings import LABELS

CASES = 3
"""Wrong values of a key."""
GROUPS = ("model", "data", "corruption", "trainer", "logger", "callbacks")
"""Keys that the command line takes as names of files."""
ACCEPTED = 99
ALLOWED = (" must ", " is no key; ")
Found = tuple[str, dict[str, Any], str, Kind]


@dataclass(frozen=True)
class Trial:
    """A wrong value on a command line.

    Attributes:
        script: train or evaluate.
        choice: of the configuration in which the key is.
        key: with dots between the levels.
        value: of this key.
        override: that gives the key the value.
    """

    script: str
    choice: tuple[str, ...]
    key: str
    value: Any
    override: str


def run(count: int, seed: int, folder: Path) -> Iterator[Tally]:
    """Give each key so many wrong values."""
    empty = folder / "empty"
    yield count_held(f"{count} wrong values of every key", cases(count, seed, empty), folder, partial(try_right, empty))


def cases(count: int, seed: int, folder: Path) -> Iterator[tuple[str, Case]]:
    """Give cases by script, key and value; `folder` is emptied for each."""
    for trial in trials(count, seed):
        yield f"{trial.script} {trial.override}", partial(try_one, folder, trial)


def trials(count: int, seed: int) -> Iterator[Trial]:
    """Give the command lines of every key of a training, of an evaluation, and of every class that a file names."""
    for script, choice, config, found in _configurations():
        for key, holder, name, kind in found:
            wrong = [value for value in wrong_values(kind) if not (key in LABELS and type(value) in (int, float))]
            for value in random.Random(f"{seed} {key}").sample(wrong, min(count, len(wrong))):
                yield Trial(script, tuple(choice), key, value, _override(key, holder, name, value, config))


def _configurations() -> Iterator[tuple[str, list[str], dict[str, Any], Iterable[Found]]]:
    """Give script, choice, values, and the keys that no configuration before has."""
    seen: set[tuple[str, str]] = set()
    for choice in CHOICES:
        config = composed("train", choice)
        own = nested(TRAIN, config, "") if choice == ["model=unet_small"] else ()
        yield "train", choice, config, chain(own, _of_classes(config, seen))
    config = composed("evaluate", ["model=wiener"])
    yield "evaluate", ["model=wiener"], config, nested(EVALUATE, config, "")


def composed(script: str, choice: list[str]) -> dict[str, Any]:
    """Return a configuration as plain values."""
    names = NAMES if script == "train" else NAMES[:-1]
    with initialize_config_module("conf"):
        config: dict[str, Any] = plain(compose(script, overrides=[*names, *choice]))
    return config


def _of_classes(config: dict[str, Any], seen: set[tuple[str, str]]) -> Iterator[Found]:
    """Give the keys of the classes that a configuration names, but for those that were seen in this group."""
    data = config["data"]
    source = data["source"]["_target_"]
    described = [("data", source, data, {**CLASSES[source], **CLASSES[data["_target_"]]})]
    others = {name: inner for name, inner in config.items() if name != "data"}
    described += [(place, node["_target_"], node, keys) for place, node, keys in places(others)]
    for place, target, node, keys in described:
        group = place.partition(".")[0].partition("[")[0]
        if (group, target) not in seen:
            seen.add((group, target))
            yield from nested(keys, node, place)


def _override(key: str, holder: dict[str, Any], name: str, value: Any, config: dict[str, Any]) -> str:
    """Write what gives a key a value; a key within a list is reached by the list as a whole."""
    outer, before = key.partition("[")[0], {**holder}
    if outer != key:
        holder[name] = value
        value = deepcopy(_at(config, outer))
        holder.clear()
        holder.update(before)
    return f"{'' if outer in GROUPS else '++'}{outer}={written(value)}"


def _at(config: dict[str, Any], key: str) -> Any:
    head, _, rest = key.partition(".")
    return _at(config[head], rest) if rest else config[head]


def written(value: Any) -> str:
    """Write a value as Hydra's command line takes it.

    >>> written(["a", None, float("nan"), {"b": True}])
    '["a",null,nan,{b:true}]'
    """
    if isinstance(value, dict):
        return f"{{{','.join(f'{key}:{written(inner)}' for key, inner in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    if isinstance(value, str):
        return str(QuotedString(value, Quote.double).with_quotes())
    return {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else str(value)


def try_one(folder: Path, trial: Trial) -> None:
    """Give a script a wrong value in an empty folder.

    Raises:
        BrokenError: if it is accepted, or the answer is not one sentence with the key, what was given and what is allowed, or
            something is left in the folder.
    """
    said = _answer(folder, trial.script, [*trial.choice, trial.override])
    require_sentences(said.text)
    lines = [line for line in said.err.splitlines() if not line.startswith("note: ")]
    told = lines[0] if lines else ""
    require(said.code == 1 and len(lines) == 1 and told.startswith("error: "), f"ends with {said.code}, says {said.err[-600:]!r}")
    require(not list(folder.iterdir()), f"leaves {list(folder.iterdir())}")
    given = (" ".join(text.split()) for text in (f"{trial.key}={shown(trial.value)}", trial.override.lstrip("+")))
    require(any(f" {text} " in told for text in given), f"does not name key and value: {told!r}")
    require(any(word in told for word in ALLOWED), f"does not say what is allowed: {told!r}")


def try_right(folder: Path) -> None:
    """Give a script no wrong value.

    Raises:
        BrokenError: if it is refused.
    """
    said = _answer(folder, "train", [])
    require(said.code == ACCEPTED, f"ends with {said.code} and says {said.err[-600:]!r}")


def _answer(folder: Path, script: str, arguments: list[str]) -> Spoken:
    """Run a script in an empty folder as far as its configuration is checked."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)
    command = importlib.import_module(f"lightning_modules.commands.{script}")
    setattr(command, script, lambda settings: sys.exit(ACCEPTED))
    return spoken(script, arguments, folder.parent)
