"""The check of a whole configuration: every key by its declaration, and keys that contradict each other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from conf.schema.classes import CLASSES
from conf.schema.declaration import Keys, check_keys
from conf.schema.kinds import Place
from conf.schema.pairs import check_length, check_untrained
from conf.schema.run import COMMON, EVALUATE, TRAIN


def check_train(config: Mapping[str, Any]) -> None:
    """Check the values of a training.

    Args:
        config: every key of conf/train.yaml, resolved, as plain values.

    Raises:
        SchemaError: about the first that is wrong.
    """
    check_length(config)
    _check(config, TRAIN, {})


def check_evaluate(config: Mapping[str, Any]) -> None:
    """Check the values of an evaluation.

    Args:
        config: every key of conf/evaluate.yaml, resolved, as plain values.

    Raises:
        SchemaError: about the first that is wrong.
    """
    check_untrained(config)
    _check(config, EVALUATE, {"refinement_steps": "steps says how many, and trainer=smoke is for train.py"})


def _check(config: Mapping[str, Any], keys: Keys, instead: Mapping[str, str]) -> None:
    top, plugins = Place("", classes=CLASSES), config.get("plugins", [])
    COMMON["plugins"].kind.check(plugins, top.at("plugins"))
    check_keys(config, keys, replace(top, plugins=plugins), instead)
