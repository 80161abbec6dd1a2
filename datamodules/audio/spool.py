"""Keep a signal of any length on the disk for a while, exactly, to read it again: for what needs two passes over it."""

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from datamodules.audio.partial import output_errors

_SAMPLE = np.dtype(np.float64)


class Spool:
    """A signal in a file without a name, which is gone with the process at the latest.

    Args:
        folder: where there is room for it.

    Attributes:
        lowest: sample so far, or 0.
        highest: sample so far, or 0.

    Raises:
        OutputError: here and while it is filled, if the folder takes nothing more.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._channels = folder, 1
        self.lowest = self.highest = 0.0
        with output_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with the spool

    def put(self, block: np.ndarray) -> None:
        """Append a block (C, n)."""
        self._channels = len(block)
        self.lowest, self.highest = float(block.min(initial=self.lowest)), float(block.max(initial=self.highest))
        with output_errors(self._folder):
            self._file.write(np.ascontiguousarray(block.T, _SAMPLE).tobytes())

    def blocks(self, block_samples: int) -> Iterator[np.ndarray]:
        """Return what was put in as blocks (C, n <= block_samples)."""
        with output_errors(self._folder):
            self._file.seek(0)
            while content := self._file.read(block_samples * self._channels * _SAMPLE.itemsize):
                yield np.frombuffer(content, _SAMPLE).reshape(-1, self._channels).T

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._file.close()


def side_by_side(spools: Sequence[Spool], block_samples: int) -> Iterator[np.ndarray]:
    """Return the blocks of signals of equal length as one signal of all their channels."""
    for parts in zip(*(spool.blocks(block_samples) for spool in spools), strict=True):
        yield np.concatenate(parts)
