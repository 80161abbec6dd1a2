"""Models that come with the project, by name: one folder each, with weights in halves, a description and a card."""

from pathlib import Path

import models

FOLDER = Path(models.__file__).parent / "shipped"
WEIGHTS, DESCRIPTION = "weights.safetensors", "config.yaml"
"""Files of a model's folder; the second describes the method, and what it was trained on."""


def shipped_names() -> list[str]:
    """Name the models that there are."""
    return sorted(folder.name for folder in FOLDER.glob("*") if folder.is_dir() and not folder.name.startswith(("_", ".")))


def shipped_choice() -> str:
    """Say which models there are, for a sentence about one that is not."""
    return ", ".join(shipped_names()) or "there are none yet"


def shipped_or(name: str) -> str:
    """Return the folder of a shipped model for its name, and what else is given as it is; what lies here comes first."""
    return str(FOLDER / name) if name in shipped_names() and not Path(name).exists() else name


def with_shipped_models(arguments: list[str]) -> list[str]:
    """Return the command line of an evaluation with `checkpoint=NAME` for `model=NAME`, where that is a shipped model."""
    named = {f"model={name}": f"checkpoint={name}" for name in shipped_names()}
    return [named.get(argument, argument) for argument in arguments]
