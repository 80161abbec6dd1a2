"""Restore the signal of one file in blocks, some channels at a time where there are many, and write it as it was asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch

from datamodules.audio.clipping import Clipping
from datamodules.audio.info import AudioInfo
from datamodules.audio.spool import Spool, side_by_side
from datamodules.audio.stream import open_like, read_blocks
from datamodules.audio.tree import RestoreJob
from models.streaming.restoration import RestorationStream

GROUP_VALUES_PER_SECOND = 4 * 48_000
"""Channels are restored together up to four at 48 kHz, fewer at higher rates: memory does not grow with their number."""
PAIRS_UP_TO_HZ = 200_000
"""The two channels of a stereo file are restored together up to this rate."""


def restored_blocks(source: AudioInfo, start: Callable[[int, float], RestorationStream], folder: Path) -> Iterator[np.ndarray]:
    """Restore a file in blocks of at most a second.

    Args:
        source: the file.
        start: gives a stream that restores a number of channels, and is told what share of the work that is.
        folder: where there is room for the channels of a file of many.

    Yields:
        float64 blocks (C, n).

    Raises:
        AudioFileError: if the file cannot be read, or the folder has no room.
    """
    fewest = 2 if source.sample_rate_hz <= PAIRS_UP_TO_HZ else 1
    count = max(fewest, GROUP_VALUES_PER_SECOND // source.sample_rate_hz)
    groups = [slice(first, min(first + count, source.channels)) for first in range(0, source.channels, count)]
    if len(groups) == 1:
        yield from _restored(source, groups[0], start)
        return
    with ExitStack() as stack:
        spools = [stack.enter_context(Spool(folder)) for _ in groups]
        for group, spool in zip(groups, spools, strict=True):
            for block in _restored(source, group, start):
                spool.put(block)
        yield from side_by_side(spools, max(1, GROUP_VALUES_PER_SECOND // source.channels))


def _restored(source: AudioInfo, group: slice, start: Callable[[int, float], RestorationStream]) -> Iterator[np.ndarray]:
    channels = group.stop - group.start
    stream = start(channels, channels / source.channels)
    for block in read_blocks(source.path, source.sample_rate_hz):
        yield stream.push(torch.from_numpy(block[group])).numpy()
    yield stream.flush().numpy()


def write_restored(job: RestoreJob, blocks: Iterable[np.ndarray]) -> Clipping:
    """Write a restored signal as the job asks.

    Returns:
        How much of it the sample format could not hold, or by how much it was turned down.

    Raises:
        AudioFileError: if it cannot be written; nothing is left behind.
    """
    clipping = Clipping(job.form.subtype)
    with ExitStack() as stack:
        if job.form.clip_mode == "rescale":
            spool = stack.enter_context(Spool(job.output.parent))
            for block in blocks:
                spool.put(block)
            gain = clipping.turn_down(spool.lowest, spool.highest)
            blocks = (gain * block for block in spool.blocks(GROUP_VALUES_PER_SECOND // job.source.channels))
        with open_like(job.source, job.output, job.form) as put:
            for block in blocks:
                put(clipping.watch(block))
    return clipping
