"""A part of a recording, given in seconds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from datamodules.audio.info import AudioInfo
from datamodules.audio.io import AudioFileError


@dataclass(frozen=True)
class Part:
    """Where a part begins and how long it is.

    Attributes:
        start_seconds: from the start of the recording.
        seconds: how long; None goes to the end.
    """

    start_seconds: float = 0.0
    seconds: float | None = None

    def of(self, source: AudioInfo) -> range:
        """Return the samples of the part.

        Raises:
            AudioFileError: if a recording does not have them all, or they are none.
        """
        start = round(self.start_seconds * source.sample_rate_hz)
        stop = source.frames if self.seconds is None else start + round(self.seconds * source.sample_rate_hz)
        length = f"it lasts {source.frames / source.sample_rate_hz:.10g} s"
        if start >= source.frames > 0:
            raise AudioFileError(source.path, f"has nothing at --start {self.start_seconds:g}: {length}")
        if stop > source.frames:
            asked = f"--start {self.start_seconds:g} --seconds {self.seconds:g}"
            raise AudioFileError(source.path, f"ends before {asked}: {length}; leave out --seconds to go to its end")
        if self.seconds is not None and stop == start:
            raise AudioFileError(source.path, f"has no sample in --seconds {self.seconds:g} at {source.sample_rate_hz} Hz")
        return range(start, stop)


def cut(blocks: Iterable[np.ndarray], start: int, count: int | None) -> Iterator[np.ndarray]:
    """Take a part of a signal that comes in blocks, and ask for no more of them than it needs.

    Args:
        blocks: (C, n) each.
        start: of the part in samples.
        count: its samples; None is all that follow.

    Yields:
        (C, m), together `count` samples, or fewer if the blocks end before.
    """
    position = -start
    for block in blocks:
        length = block.shape[-1]
        last = length if count is None else min(length, count - position)
        if last > max(0, -position):
            yield block[:, max(0, -position) : last]
        position += length
        if count is not None and position >= count:
            return
