"""A run that is asked to go on: its configuration against the one it had."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytorch_lightning.callbacks import Callback

from conf.compose import config_of
from lightning_modules.callbacks.best_anew import BestAnew
from lightning_modules.runs.changes import told_changes, validates_otherwise

BEST_ANEW_VARIABLE = "CLARION_BEST_ANEW"
"""Tells the other processes of a training that other pairs are validated than before."""


@dataclass(frozen=True)
class GoesOn:
    """What is told, and what else is to be done, where a run goes on with another configuration."""

    changes: Sequence[str] = ()
    callbacks: Sequence[Callback] = ()


def goes_on_from(folder: Path, config: Mapping[str, Any]) -> GoesOn:
    """Compare a configuration with that of the run to go on with, in the first process.

    Raises:
        ValueError: naming the keys that cannot change.
    """
    before = config_of(folder)
    changes = told_changes(folder, before, config)
    os.environ.pop(BEST_ANEW_VARIABLE, None)
    if not validates_otherwise(before, config):
        return GoesOn(changes)
    os.environ[BEST_ANEW_VARIABLE] = "1"
    return GoesOn([*changes, "other pairs are validated from now on, so the best checkpoint is chosen anew"], [BestAnew()])


def as_the_first() -> GoesOn:
    """Return what is to be done in another process than the first, which has compared and told."""
    return GoesOn(callbacks=[BestAnew()] if os.environ.get(BEST_ANEW_VARIABLE) else [])
