"""Arguments of Lightning's trainer that no file sets: on the command line they are set or refused as if a file did."""

from collections.abc import Sequence
from pathlib import Path

import yaml

from conf.schema.trainer import INSTEAD, TRAINER

AUTO = Path(__file__).parent / "trainer" / "auto.yaml"
"""What the other trainers begin with."""


def with_left_out_keys(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which arguments of the trainer are added where no file sets them.

    Args:
        arguments: overrides and options, as the user gave them.

    >>> with_left_out_keys(["trainer=cpu", "trainer.max_epochs=3", "trainer.detect_anomaly=true", "+trainer.benchmark=true"])
    ['trainer=cpu', 'trainer.max_epochs=3', '++trainer.detect_anomaly=true', '+trainer.benchmark=true']
    """
    left_out = left_out_keys()
    return [f"++{argument}" if argument.partition("=")[0] in left_out else argument for argument in arguments]


def left_out_keys() -> set[str]:
    """Return the names of the trainer's arguments that no file sets, those that are refused among them."""
    return {f"trainer.{name}" for name in {*TRAINER, *INSTEAD} - {*yaml.safe_load(AUTO.read_text(encoding="utf-8"))}}
