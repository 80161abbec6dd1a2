"""What sources that render their recordings themselves have in common: how many there are, in which split, and their files."""

from pathlib import Path

import numpy as np

from datamodules.audio import io as audio_io
from datamodules.audio.output import OutputError
from datamodules.splits import Split

FEWEST_RECORDINGS = 3


def check_recordings(count: int) -> None:
    """Refuse fewer recordings than there are splits.

    Raises:
        ValueError: naming the key.
    """
    if count < FEWEST_RECORDINGS:
        raise ValueError(f"data.recordings={count} is too few: train, val and test need one each")


def split_of(index: int, count: int) -> Split:
    """Return the split of one of so many recordings: of the last ones a tenth each, at least one, is for val and for test.

    >>> [split_of(index, 4) for index in range(4)]
    ['train', 'train', 'val', 'test']
    """
    held_out = max(1, count // 10)
    if index >= count - held_out:
        return "test"
    return "val" if index >= count - 2 * held_out else "train"


def write_rendered(path: Path, audio: np.ndarray, sample_rate: int) -> None:
    """Write audio (C, T) to a file of the cache.

    Raises:
        ValueError: naming the key, if it cannot be written.
    """
    try:
        audio_io.write(path, audio, sample_rate)
    except OutputError as error:
        raise ValueError(f"{error}; set data.cache_dir to a folder that can be written to") from error
