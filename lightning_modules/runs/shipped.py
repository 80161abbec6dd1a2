"""Models that come with the project, by name: one folder each."""

from pathlib import Path

import models

FOLDER = Path(models.__file__).parent / "shipped"


def shipped_names() -> list[str]:
    """Name the models that there are."""
    return sorted(folder.name for folder in FOLDER.glob("*") if folder.is_dir() and not folder.name.startswith(("_", ".")))


def shipped_choice() -> str:
    """Say which models there are, for a sentence about one that is not."""
    return ", ".join(shipped_names()) or "there are none yet"
