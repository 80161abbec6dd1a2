"""Numbers for what is known of recordings, so that a classifier can learn it."""

from collections.abc import Sequence

import numpy as np

from datamodules.sources import Recording

TASKS = ("kind", "source", "speaker")
"""What recordings are told apart by. Who does not know a speaker takes the group: a piece, an album, or indeed a speaker."""
UNKNOWN = -1


def label_numbers(recordings: Sequence[Recording]) -> np.ndarray:
    """Number the different values of each task in alphabetical order.

    Args:
        recordings: N.

    Returns:
        (N, 3) int64, -1 where a recording says nothing.
    """
    return np.stack([_numbers([_value(recording, task) for recording in recordings]) for task in TASKS], axis=1)


def _value(recording: Recording, task: str) -> str | None:
    return dict(recording.labels).get(task) or (recording.group if task == "speaker" else None)


def _numbers(values: Sequence[str | None]) -> np.ndarray:
    place = {value: number for number, value in enumerate(sorted({value for value in values if value is not None}))}
    return np.array([UNKNOWN if value is None else place[value] for value in values], dtype=np.int64)
