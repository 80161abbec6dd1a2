"""Which checkpoints stay in the folder of a run that has come to its end."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning_modules.runs.json_file import write_json

KEPT: Mapping[str, tuple[str, ...]] = {"both": ("best", "last"), "best": ("best",), "last": ("last",), "none": ()}
"""By value of keep_checkpoints, the names of the files."""


def discard_checkpoints(folder: Path, keep: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Delete the checkpoints that are not to be kept, if the run has come to its end and nothing of it failed.

    Args:
        folder: of the run.
        keep: a key of `KEPT`.
        result: what result.json holds.

    Returns:
        What it holds now: `checkpoint` names a file that is there, or none.
    """
    if keep == "both" or result["status"] != "finished" or result["problems"]:
        return dict(result)
    for path in (folder / "checkpoints").glob("*.ckpt"):
        if path.stem not in KEPT[keep]:
            path.unlink()
    left = next((folder / "checkpoints").glob("*.ckpt"), None)
    now = {**result, "checkpoint": None if left is None else str(left)}
    write_json(folder / "result.json", now)
    return now
