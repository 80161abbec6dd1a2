"""A run that is trained once more: what is not as it was."""

from pathlib import Path
from typing import Any

from conf.compose import config_of
from conf.settings import TrainSettings
from lightning_modules.runs.changes import plain_changes
from lightning_modules.runs.made_with import told_differences


def told_of_earlier_run(settings: TrainSettings, data: Any) -> list[str]:
    """Return what the earlier run that a training repeats has in common with it, and what not; nothing where it repeats none.

    Args:
        settings: of the training.
        data: its data, which tell what the test pairs are.
    """
    named = settings.config["from_run"]
    if named is None:
        return []
    folder = Path(named)
    changes = plain_changes(config_of(folder) or {}, settings.config)
    said = [f"configuration: {change}" for change in changes] or ["configuration: the same"]
    return [f"from {folder}:", *(f"  {line}" for line in [*said, *told_differences(folder, data.manifest_hash)])]
