"""Restore the signal of one file in blocks, some channels at a time where there are many, and write it as it was asked for."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import torch

from datamodules.audio.clipping import Clipping
from datamodules.audio.info import AudioInfo
from datamodules.audio.part import cut
from datamodules.audio.spool import Spool, side_by_side
from datamodules.audio.stream import open_like, read_blocks
from datamodules.audio.tree import RestoreJob
from models.streaming.restoration import RestorationStream

GROUP_VALUES_PER_SECOND = 4 * 48_000
"""Channels are restored together up to four at 48 kHz, fewer at higher rates: memory does not grow with their number."""
BLOCK_SAMPLES = 8192
"""Read at once of a file and its reference: the same of both, whatever their channels."""
PAIRS_UP_TO_HZ = 200_000
"""The two channels of a stereo file are restored together up to this rate."""


def restored_blocks(job: RestoreJob, start: Callable[[int, float], RestorationStream], lead_in: int) -> Iterator[np.ndarray]:
    """Restore a file, or a part of it, in blocks of at most a second.

    Args:
        job: what to read; where the result goes is room for the channels of a file of many.
        start: gives a stream that restores a number of channels, and is told what share of the work that is.
        lead_in: sample from which on the file is restored, at or before the first that is wanted.

    Yields:
        float64 blocks (C, n).

    Raises:
        AudioFileError: if the file cannot be read, or the folder has no room.
    """
    source, folder = job.source, job.output.parent
    count = _together(job)
    groups = [slice(first, min(first + count, source.channels)) for first in range(0, source.channels, count)]
    if len(groups) == 1:
        yield from _restored(job, groups[0], start, lead_in)
        return
    with ExitStack() as stack:
        spools = [stack.enter_context(Spool(folder)) for _ in groups]
        for group, spool in zip(groups, spools, strict=True):
            for block in _restored(job, group, start, lead_in):
                spool.put(block)
        yield from side_by_side(spools, max(1, GROUP_VALUES_PER_SECOND // source.channels))


def _together(job: RestoreJob) -> int:
    """Return how many channels of a file are restored at once."""
    if job.reference is not None:
        return 1
    fewest = 2 if job.source.sample_rate_hz <= PAIRS_UP_TO_HZ else 1
    return max(fewest, GROUP_VALUES_PER_SECOND // job.source.sample_rate_hz)


def _restored(
    job: RestoreJob, group: slice, start: Callable[[int, float], RestorationStream], lead_in: int
) -> Iterator[np.ndarray]:
    channels = group.stop - group.start
    if job.reference is None:
        blocks, beside = _channels(job.source, group, lead_in), 0
    else:
        blocks, beside = _with_reference(job.source, job.reference, group, lead_in), 1
    stream = start(channels + beside, channels / job.source.channels)
    count = None if job.samples.stop == job.source.frames else len(job.samples)
    restored = (block[:channels] for block in _streamed(blocks, stream))
    yield from cut(restored, job.samples.start - lead_in, count)


def _streamed(blocks: Iterable[np.ndarray], stream: RestorationStream) -> Iterator[np.ndarray]:
    for block in blocks:
        yield stream.push(torch.from_numpy(block)).numpy()
    yield stream.flush().numpy()


def _channels(source: AudioInfo, group: slice, lead_in: int) -> Iterator[np.ndarray]:
    for block in read_blocks(source.path, source.sample_rate_hz, lead_in):
        yield block[group]


def _with_reference(source: AudioInfo, reference: AudioInfo, group: slice, lead_in: int) -> Iterator[np.ndarray]:
    """Yield blocks (2, n) of one channel and its reference, which are read side by side."""
    hears = group if reference.channels == source.channels else slice(0, 1)
    files = (read_blocks(file.path, BLOCK_SAMPLES, lead_in) for file in (source, reference))
    for recording, noise in zip(*files, strict=True):
        yield np.concatenate([recording[group], noise[hears]])


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
        with open_like(replace(job.source, frames=len(job.samples)), job.output, job.form) as put:
            for block in blocks:
                put(clipping.watch(block))
    return clipping
