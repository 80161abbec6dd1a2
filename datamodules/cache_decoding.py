"""Decode recordings into a shard of the cache."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np

from datamodules.array_file import ArrayWriter
from datamodules.audio.checks import named_errors
from datamodules.audio.decoding import decode_blocks
from datamodules.audio.io import AudioFileError
from datamodules.audio.output import OutputError, replaced_when_done
from datamodules.cache_format import CacheFormat, to_stored
from datamodules.cache_index import os_reason
from datamodules.identity import identify
from datamodules.shard_file import ShardWriter
from datamodules.sources import Recording

Outcome = Mapping[str, int | str]
"""By a recording's path, how many of its samples were clipped, or what is wrong with it."""


def decode(recordings: Sequence[Recording], layout: CacheFormat) -> Outcome:
    """Write the arrays of some recordings into one shard, which holds those that can be read; without any there is none.

    Raises:
        OutputError: if the folder or the disk does not take it.
    """
    there = keys_of(recordings, layout)
    outcome: dict[str, int | str] = {item.path: f"{item.path}: is gone" for item in recordings if item.path not in there}
    target = layout.shard_of(list(there.values()))
    try:
        with replaced_when_done(target) as temporary, open(temporary, "wb") as stream:
            shard = ShardWriter(stream)
            outcome |= {path: _add(shard, path, key, layout) for path, key in there.items()}
            shard.finish()
        if not shard.count:
            target.unlink(missing_ok=True)
    except AudioFileError:
        raise
    except OSError as error:
        raise OutputError(target, f"could not be written: {os_reason(error)}") from error
    return outcome


def keys_of(recordings: Sequence[Recording], layout: CacheFormat) -> dict[str, str]:
    """Return the key of each recording that is there, by its path."""
    keys = {}
    for recording in recordings:
        with contextlib.suppress(OSError):
            keys[recording.path] = layout.key_of(recording.path)
    return keys


def _add(shard: ShardWriter, path: str, key: str, layout: CacheFormat) -> int | str:
    """Write one array; return how many samples were clipped, or what is wrong with the recording."""
    try:
        with shard.entry(key) as stream:
            return _write_array(path, stream, layout)
    except OutputError:
        raise
    except AudioFileError as error:
        return str(error)


def _write_array(path: str, stream: BinaryIO, layout: CacheFormat) -> int:
    clipped = 0
    with named_errors(path):
        source = identify(path)  # Before decoding: what changes meanwhile is noticed at the next opening.
    writer = ArrayWriter(stream, layout.channels, layout.dtype)
    for block in decode_blocks(path, layout.sample_rate, layout.channels):
        writer.append(to_stored(block.T, layout.dtype))
        clipped += _count_clipped(block, layout.dtype)
    writer.finish(source)
    return clipped


def _count_clipped(block: np.ndarray, dtype: str) -> int:
    return int(np.count_nonzero(np.abs(block) > 1)) if dtype == "int16" else 0
