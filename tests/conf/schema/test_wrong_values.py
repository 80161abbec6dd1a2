"""Three wrong values, drawn by type and range, for every key: each is refused by the key's name."""

import random
import zlib
from typing import Any

import pytest

from benchmarks.robustness.choices import files
from benchmarks.robustness.wrong_values import nested, places, wrong_values
from conf.compose import FOLDER
from conf.schema import run
from conf.schema.check import check_evaluate, check_train
from conf.schema.classes import CLASSES
from conf.schema.constructors import AnyText
from conf.schema.data import SOURCES
from conf.schema.declaration import Keys
from conf.schema.kinds import Kind, Place
from conf.schema.run import EVALUATE, TRAIN
from conf.schema.sentences import SchemaError


def drawn(kind: Kind, name: str) -> list[Any]:
    """Return three wrong values, the same ones for every run of the tests."""
    return random.Random(zlib.crc32(name.encode())).sample(wrong_values(kind), 3)


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


def test_names_of_methods_are_read_once_however_many_baselines_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Any] = []
    monkeypatch.setattr(run, "untrained_methods", lambda plugins: read.append(plugins) or ["wiener"])
    for number in range(3):
        run.UntrainedMethod(lambda: ["wiener"]).check("wiener", Place(f"baselines[{number}]", plugins=["some_package"]))
    assert read == [("some_package",)]
