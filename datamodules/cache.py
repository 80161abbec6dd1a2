"""Decode every recording once into a memory-mapped array, so that reading a training window costs microseconds.

Each recording becomes one `.npy` file of shape (T, C), whose name is a hash of the file (path, size, time of change) and of
the format asked for. Files are written beside their final name and renamed when complete: several processes may fill one
cache, and an interrupted run goes on where it stopped.
"""

import contextlib
import functools
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from datamodules.audio.decoding import decode_blocks
from datamodules.audio.io import AudioFileError
from datamodules.audio.output import OutputError, check_folder, replaced_when_done
from datamodules.audio.probing import absolute
from datamodules.parallel import parallel_map
from datamodules.sources import Recording

DTYPES = ("int16", "float32")

_LAYOUT = "1"  # Part of every key; to be raised when the content of the files changes.
_FULL_SCALE = 32768.0
_WAYS_OUT = "set data.cache_dir or CLARION_CACHE to another folder, or data.cache=false to decode while training"
_LEFTOVER_SECONDS = 24 * 3600
_OPEN_ARRAYS = 4096  # Kept mapped; opening one costs 50 times as long as reading a window from it.
_SPARE_BYTES = 100_000_000  # Left free on the disk.

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


@dataclass(frozen=True)
class CacheFormat:
    """What the arrays hold.

    Attributes:
        folder: where they lie.
        sample_rate: in Hz.
        channels: count; see `decoding.mix`.
        dtype: `int16`, half the size and exact for 16-bit files, or `float32`.
    """

    folder: Path
    sample_rate: int
    channels: int = 1
    dtype: str = "int16"

    def __post_init__(self) -> None:
        """Check the type of the samples."""
        if self.dtype not in DTYPES:
            raise ValueError(f"data.cache_dtype={self.dtype!r} is unknown; known: {', '.join(DTYPES)}")

    def path_of(self, audio_path: str) -> Path:
        """Return the array's path, which changes whenever the audio file does.

        Raises:
            OSError: if the audio file is gone.
        """
        state = os.stat(audio_path)
        facts = (_LAYOUT, str(absolute(audio_path)), state.st_size, state.st_mtime_ns)
        key = repr((*facts, self.sample_rate, self.channels, self.dtype))
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.npy"

    def size_bytes(self, seconds: float) -> int:
        """Return the size of an array of this duration."""
        return round(seconds * self.sample_rate) * self.channels * np.dtype(self.dtype).itemsize


class CachedRecordings:
    """Recordings in memory-mapped arrays; missing arrays are made by the constructor.

    Arrays are opened for each read: an open map would hold a file descriptor per recording, and a process has about a
    thousand of them.

    Args:
        recordings: what to decode; unreadable ones are named once in a warning and left out.
        layout: the arrays' format and folder.

    Raises:
        ValueError: if the folder cannot be written to or has not enough space.
    """

    def __init__(self, recordings: Sequence[Recording], layout: CacheFormat) -> None:
        """Fill the cache."""
        paths, self.skipped = _fill(recordings, layout)
        self.recordings = [recording for recording in recordings if recording.path in paths]
        self._paths = [paths[recording.path] for recording in self.recordings]
        self._lengths = [len(np.load(path, mmap_mode="r")) for path in self._paths]

    def len_samples(self, index: int) -> int:
        """Return the length of a recording; see `Recordings`."""
        return self._lengths[index]

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return a part of a recording; see `Recordings`."""
        frames = _open_array(self._paths[index])[start : start + count]
        return from_stored(frames).T  # (C, count)


@functools.lru_cache(_OPEN_ARRAYS)
def _open_array(path: Path) -> np.ndarray:
    """Map a finished array, whose name changes with its content, into memory."""
    array: np.ndarray = np.load(path, mmap_mode="r")
    return array


def to_stored(samples: np.ndarray, dtype: str) -> np.ndarray:
    """Turn float32 samples into the cache's type; int16 rounds and clips, it neither wraps nor changes the level.

    Args:
        samples: any shape, full scale 1.
        dtype: one of `DTYPES`.

    Returns:
        Same shape. After int16 a sample within [-1, 1] differs by at most 1 / 32768.
    """
    if dtype == "float32":
        return samples.astype(np.float32)
    return np.clip(np.rint(samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def from_stored(samples: np.ndarray) -> np.ndarray:
    """Return the float32 samples of an array in the cache, as a copy."""
    return samples.astype(np.float32) / (_FULL_SCALE if samples.dtype == np.int16 else 1)


def _fill(recordings: Sequence[Recording], layout: CacheFormat) -> tuple[dict[str, Path], list[str]]:
    """Make the missing arrays; return the array of each usable recording and a sentence for each other one."""
    _check_folder(layout.folder)
    _remove_leftovers(layout.folder)
    results = [_locate(recording, layout) for recording in recordings]
    located = {recording.path: path for recording, path in zip(recordings, results, strict=True) if isinstance(path, Path)}
    problems = {recording.path: path for recording, path in zip(recordings, results, strict=True) if isinstance(path, str)}
    missing = [recording for recording in recordings if recording.path in located and not located[recording.path].exists()]
    if missing:
        problems |= _decode_all(missing, located, layout)
    for problem in problems.values():
        log.warning("skipped %s", problem)
    return {path: array for path, array in located.items() if path not in problems}, list(problems.values())


def _locate(recording: Recording, layout: CacheFormat) -> Path | str:
    try:
        return layout.path_of(recording.path)
    except OSError as error:
        return f"{recording.path}: {(error.strerror or str(error)).lower()}"


def _check_folder(folder: Path) -> None:
    try:
        check_folder(folder)
    except OutputError as error:
        raise ValueError(f"data.cache_dir={folder} cannot be written to ({error.reason}); {_WAYS_OUT}") from error


def _remove_leftovers(folder: Path) -> None:
    """Delete what killed runs left half-written; what is younger may still be in the making."""
    for path in folder.glob(".*.partial"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                path.unlink()


def _decode_all(missing: list[Recording], located: dict[str, Path], layout: CacheFormat) -> dict[str, str]:
    needed = _SPARE_BYTES + sum(layout.size_bytes(recording.seconds) for recording in missing)
    free = shutil.disk_usage(layout.folder).free
    size_gb = (needed - _SPARE_BYTES) / 1e9
    log.info("decoding %d recordings to %s: %.2f GB, %.1f GB are free", len(missing), layout.folder, size_gb, free / 1e9)
    if needed > free:
        raise ValueError(
            f"data.cache_dir={layout.folder} has {free / 1e9:.2f} GB free but {needed / 1e9:.2f} GB are needed; {_WAYS_OUT}"
        )
    start = time.monotonic()
    try:
        results = parallel_map(lambda recording: _decode(recording, located[recording.path], layout), missing, "Decoding")
    except (OSError, OutputError) as error:
        raise ValueError(f"data.cache_dir={layout.folder} could not be filled ({error}); {_WAYS_OUT}") from error
    log.info("decoded in %.1f s", time.monotonic() - start)
    clipped = [result for result in results if isinstance(result, int) and result]
    if clipped:
        log.warning("clipped %d samples of %d recordings; data.cache_dtype=float32 keeps them", sum(clipped), len(clipped))
    return {recording.path: result for recording, result in zip(missing, results, strict=True) if isinstance(result, str)}


def _decode(recording: Recording, target: Path, layout: CacheFormat) -> int | str:
    """Write one array; return how many samples were clipped, or what is wrong with the recording."""
    try:
        with replaced_when_done(target) as temporary, open(temporary, "wb") as stream:
            return _write_array(recording, stream, layout)
    except OutputError:
        raise
    except AudioFileError as error:
        return str(error)


def _write_array(recording: Recording, stream: BinaryIO, layout: CacheFormat) -> int:
    """Write the blocks and then the header; return how many samples were clipped.

    Writing through a memory map would be simpler, but a full disk would then kill the process with SIGBUS.
    """
    length = clipped = 0
    _write_header(stream, (length, layout.channels), layout.dtype)
    for block in decode_blocks(recording.path, layout.sample_rate, layout.channels):
        stream.write(to_stored(block.T, layout.dtype).tobytes())
        clipped += _count_clipped(block, layout.dtype)
        length += block.shape[1]
    stream.seek(0)
    _write_header(stream, (length, layout.channels), layout.dtype)
    return clipped


def _count_clipped(block: np.ndarray, dtype: str) -> int:
    return int(np.count_nonzero(np.abs(block) > 1)) if dtype == "int16" else 0


def _write_header(stream: BinaryIO, shape: tuple[int, int], dtype: str) -> None:
    """Write a NumPy header; NumPy pads it so that the growing length still fits into the same bytes."""
    described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, described)
