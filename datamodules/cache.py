"""Decode every recording once into a memory-mapped array, so that reading a training window costs microseconds.

Each recording becomes one file with an array of shape (T, C), whose name is a hash of the recording's path, size and time of
modification and of the format asked for. Files are written beside their final name and renamed when complete: several
processes may fill one cache, and an interrupted run goes on where it stopped. What has been damaged since, and what belongs to
another version of the recording, is decoded again; see `array_file` and `identity`.
"""

import functools
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from datamodules.array_file import ArrayFile, DamagedArrayError
from datamodules.audio.io import AudioFileError
from datamodules.cache_filling import decode, fill, os_reason
from datamodules.cache_format import CacheFormat, from_stored
from datamodules.sources import Recording

_OPEN_ARRAYS = 4096  # Kept mapped; opening one costs 50 times as long as reading a window from it.

log = logging.getLogger(__name__)


class Recordings(Protocol):
    """Clean recordings at one sample rate and channel count, whatever they are read from.

    Attributes:
        recordings: the usable ones; their position is the `index` of the methods.
        skipped: one sentence per recording that could not be used.
    """

    recordings: list[Recording]
    skipped: list[str]

    def len_samples(self, index: int) -> int:
        """Return the length of a recording at the common sample rate."""
        ...

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return float32 (C, count) from sample `start` on; the part must lie within the recording."""
        ...


class CachedRecordings:
    """Recordings in memory-mapped arrays; missing arrays are made by the constructor.

    Arrays are opened when they are read: an open map would hold a file descriptor per recording, and a process has about a
    thousand of them.

    Args:
        recordings: what to decode; unreadable ones are named once in a warning and left out.
        layout: the arrays' format and folder.

    Raises:
        ValueError: if an array is missing and the folder cannot be written to or has not enough space.
    """

    def __init__(self, recordings: Sequence[Recording], layout: CacheFormat) -> None:
        """Fill the cache."""
        self._layout = layout
        arrays, self.skipped = fill(recordings, layout)
        _open_array.cache_clear()  # Files may have been replaced.
        self.recordings = [recording for recording in recordings if recording.path in arrays]
        self._paths, self._lengths = [], []
        for recording in self.recordings:
            self._paths.append(arrays[recording.path].path)
            self._lengths.append(len(arrays[recording.path].array))

    def len_samples(self, index: int) -> int:
        """Return the length of a recording; see `Recordings`."""
        return self._lengths[index]

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return a part of a recording; see `Recordings`.

        Raises:
            AudioFileError: if the array is damaged and cannot be made again, because the recording is gone, for example.
        """
        path = self._paths[index]
        try:
            frames = _open_array(path).frames(start, count)
        except (DamagedArrayError, OSError) as error:
            log.warning("%s, the cached array of %s, %s; decoding it again", path, self.recordings[index].path, os_reason(error))
            frames = self._decoded_again(index).frames(start, count)
        return from_stored(frames).T  # (C, count)

    def _decoded_again(self, index: int) -> ArrayFile:
        recording, path = self.recordings[index], self._paths[index]
        _open_array.cache_clear()  # Windows replaces no file that is mapped into memory.
        result = decode(recording, path, self._layout)
        if isinstance(result, str) or len(_open_array(path).array) != self._lengths[index]:
            raise AudioFileError(recording.path, "has changed since the run began, and its cached array is damaged")
        return _open_array(path)


@functools.lru_cache(_OPEN_ARRAYS)
def _open_array(path: Path) -> ArrayFile:
    """Map a finished array into memory."""
    return ArrayFile(path)
