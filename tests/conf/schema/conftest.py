"""What the tests of the schema share: every choice of every group, composed once."""

from typing import Any

import pytest
from hydra import compose, initialize_config_module

from benchmarks.robustness.choices import CHOICES, NAMES
from conf.compose import plain


@pytest.fixture(scope="session")
def composed() -> dict[str, dict[str, Any]]:
    """Return the plain configuration of a training for every choice, by the choice."""
    with initialize_config_module("conf"):
        return {" ".join(choice): plain(compose("train", overrides=[*NAMES, *choice])) for choice in CHOICES}


@pytest.fixture(scope="session")
def evaluation() -> dict[str, Any]:
    """Return the plain configuration of an evaluation."""
    with initialize_config_module("conf"):
        return plain(compose("evaluate", overrides=[*NAMES[:-1], "model=wiener"]))
