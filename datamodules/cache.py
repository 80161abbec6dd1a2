"""Decode every recording once into an array on the disk, so that reading a training window costs microseconds.

Each recording becomes an array of shape (T, C), found by a hash of the recording's path, size and time of modification and of the
format asked for. Many of them share a file, a shard. Shards are written beside their final names and renamed when complete:
several processes fill one cache together, and an interrupted run goes on where it stopped. What has been damaged since, and what
belongs to another version of the recording, is decoded again; see `shard_file`, `array_file` and `identity`.
"""

import functools
import logging
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from datamodules.array_file import ArrayFile, DamagedArrayError, Place
from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.io import AudioFileError
from datamodules.cache_decoding import decode
from datamodules.cache_filling import fill
from datamodules.cache_format import CacheFormat, from_stored
from datamodules.cache_index import CacheIndex, os_reason
from datamodules.cache_lookup import look_up
from datamodules.sources import Recording
from machine.parts import close_parts

_OPEN_ARRAYS = 4096  # Their checksums are kept, 4 bytes for each 64 KiB, with what has been checked.

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
    """Recordings in arrays on the disk; missing arrays are made by the constructor.

    Of each it holds the place and the length only. Parts are read from the files, of which a bounded number is open, so that
    memory does not grow with what has been read.

    Args:
        recordings: what to decode; unreadable ones are named once in a warning and left out.
        layout: the arrays' format and folder.
        facts: what is known of the files.

    Raises:
        ValueError: if that of a readable one is missing and the folder cannot be written to or has not enough space.
    """

    def __init__(self, recordings: Sequence[Recording], layout: CacheFormat, facts: FileFacts = NO_FACTS) -> None:
        """Fill the cache."""
        self._layout = layout
        _forget()  # Files may have been replaced.
        arrays, self.skipped = fill(recordings, layout, facts)
        self.recordings = [recording for recording in recordings if recording.path in arrays]
        self._places = [arrays[recording.path].place for recording in self.recordings]
        self._lengths = [arrays[recording.path].shape[0] for recording in self.recordings]

    def len_samples(self, index: int) -> int:
        """Return the length of a recording; see `Recordings`."""
        return self._lengths[index]

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return a part of a recording; see `Recordings`.

        Raises:
            AudioFileError: if the array is damaged and cannot be made again, because the recording is gone, for example.
        """
        place = self._places[index]
        try:
            frames = _open_array(place).frames(start, count)
        except (DamagedArrayError, OSError) as error:
            made = self._frames_made_meanwhile(index, start, count)
            if made is None:
                reason = os_reason(error) if isinstance(error, OSError) else error
                log.warning("%s, which holds %s, %s; decoding it again", place.path, self.recordings[index].path, reason)
                made = self._decoded_again(index).frames(start, count)
            frames = made
        return from_stored(frames).T  # (C, count)

    def _frames_made_meanwhile(self, index: int, start: int, count: int) -> np.ndarray | None:
        """Read what another process has decoded again in place of a damaged array, perhaps under its name; None without any."""
        _forget()
        array = self._found(index)
        if array is None:
            return None
        try:
            frames = array.frames(start, count)
        except (DamagedArrayError, OSError):
            return None
        self._places[index] = array.place
        return frames

    def _decoded_again(self, index: int) -> ArrayFile:
        """Decode a recording into a shard of its own, which stands before the damaged one from now on."""
        recording = self.recordings[index]
        _forget()  # Windows replaces no file that is open.
        decode([recording], self._layout)
        array = self._found(index)
        if array is None:
            raise AudioFileError(recording.path, "has changed since the run began, and its cached array is damaged")
        self._places[index] = array.place
        return array

    def _found(self, index: int) -> ArrayFile | None:
        """Return the newest whole array of a recording, if it has the length that the run began with."""
        array = look_up(self.recordings[index], self._layout, CacheIndex(self._layout.shards)).array
        return array if array is not None and array.shape[0] == self._lengths[index] else None


@functools.lru_cache(_OPEN_ARRAYS)
def _open_array(place: Place) -> ArrayFile:
    return ArrayFile(place)


def _forget() -> None:
    _open_array.cache_clear()
    close_parts()
