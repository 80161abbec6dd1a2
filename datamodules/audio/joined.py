"""Decode several streams that follow each other in one file as one."""

import os
from collections.abc import Sequence
from typing import Self

import numpy as np

from datamodules.audio.checks import AudioFileError, refuse_short, slack_samples
from datamodules.audio.decoder import Decoder


class Joined:
    """The decoders of the streams of a file, one after the other.

    Args:
        path: named in errors.
        parts: their decoders, which are closed with this one.

    Raises:
        AudioFileError: if the streams differ in sample rate or channels.
    """

    def __init__(self, path: str | os.PathLike[str], parts: Sequence[Decoder]) -> None:
        first = parts[0]
        kinds = list(dict.fromkeys((part.samplerate, part.channels) for part in parts))
        if len(kinds) > 1:
            told = " and ".join(f"{rate} Hz with {channels} channels" for rate, channels in kinds)
            raise AudioFileError(path, f"holds {len(parts)} streams that differ ({told}); divide it first")
        self._path, self._parts = path, parts
        self._index = self._given = 0  # the current part, and what was read of it
        self.samplerate, self.channels = first.samplerate, first.channels
        self.frames = sum(part.frames for part in parts)
        self.format, self.subtype, self.endian, self.extra_info = first.format, first.subtype, first.endian, ""

    def seekable(self) -> bool:
        """Say whether any sample can be reached."""
        return all(part.seekable() for part in self._parts)

    def seek(self, frames: int) -> int:
        """Go to a sample."""
        left = frames
        for index, part in enumerate(self._parts):
            if left < part.frames or index == len(self._parts) - 1:
                self._index, self._given = index, left
                part.seek(left)
                break
            left -= part.frames
        for part in self._parts[self._index + 1 :]:
            part.seek(0)
        return frames

    def read(self, frames: int, dtype: str = "float64", *, always_2d: bool = True) -> np.ndarray:
        """Decode (n, C) from the current sample on; of each stream as much as its header declares."""
        blocks = [np.zeros((0, self.channels), dtype)]
        missing = frames
        while missing > 0 and self._index < len(self._parts):
            part = self._parts[self._index]
            count = min(missing, part.frames - self._given)
            block = part.read(count, dtype=dtype, always_2d=always_2d)
            refuse_short(self._path, self._given + len(block) + slack_samples(part), self._given + count, "samples")
            blocks.append(np.pad(block, ((0, count - len(block)), (0, 0))))
            self._given, missing = self._given + count, missing - count
            if self._given >= part.frames:
                self._index, self._given = self._index + 1, 0
        return np.concatenate(blocks)

    def copy_metadata(self) -> dict[str, str]:
        """Return the text tags of the first stream."""
        return self._parts[0].copy_metadata()

    def close(self) -> None:
        """Close all streams."""
        for part in self._parts:
            part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
