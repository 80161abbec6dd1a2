"""Find out which arrays of the cache are whole and belong to their recordings, and make the others."""

import contextlib
import logging
import os
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from datamodules.array_file import ArrayFile, ArrayWriter, DamagedArrayError, reseal
from datamodules.audio.checks import check_regular, named_errors
from datamodules.audio.decoding import decode_blocks
from datamodules.audio.io import AudioFileError
from datamodules.audio.output import OutputError, check_folder, replaced_when_done
from datamodules.audio.partial import remove_leftovers
from datamodules.cache_format import CacheFormat, to_stored
from datamodules.identity import confirmed, identify
from datamodules.parallel import parallel_map
from datamodules.sources import Recording

_WAYS_OUT = "set data.cache_dir or CLARION_CACHE to another folder, or data.cache=false to decode while training"
_LEFTOVER_SECONDS = 24 * 3600
_SPARE_BYTES = 100_000_000  # Left free on the disk.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _State:
    """What the cache holds of a recording.

    Attributes:
        audio: the recording's path.
        array: the whole array, if there is one.
        problem: why the recording cannot be used at all.
        damage: what is wrong with the array.
        is_changed: whether the array was made from another version of the recording.
    """

    audio: str
    array: ArrayFile | None = None
    problem: str = ""
    damage: str = ""
    is_changed: bool = False


def fill(recordings: Sequence[Recording], layout: CacheFormat) -> tuple[dict[str, ArrayFile], list[str]]:
    """Make the missing arrays; return the array of each usable recording and a sentence for each other one.

    Raises:
        ValueError: if one is missing and the folder cannot be written to or has not enough space.
    """
    _clear(layout.folder)
    states = parallel_map(lambda recording: _look_up(recording, layout), recordings, "Opening the cache")
    _tell_renewed(states)
    problems = {state.audio: state.problem for state in states if state.problem}
    arrays = {state.audio: state.array for state in states if state.array}
    missing = [recording for recording in recordings if recording.path not in problems and recording.path not in arrays]
    if missing:
        _prepare(layout.folder)
        problems |= _decode_all(missing, layout)
        made = [_look_up(recording, layout) for recording in missing if recording.path not in problems]
        arrays |= {state.audio: state.array for state in made if state.array}
        problems |= {state.audio: f"{state.audio}: changes while it is decoded" for state in made if not state.array}
    for problem in problems.values():
        log.warning("skipped %s", problem)
    return arrays, list(problems.values())


def _look_up(recording: Recording, layout: CacheFormat) -> _State:
    audio = recording.path
    try:
        check_regular(audio)
        path = layout.path_of(audio)
        if not os.path.lexists(path):
            return _State(audio)
        array = _open(path, layout)
        return _State(audio, array) if _is_of(array, audio) else _State(audio, is_changed=True)
    except DamagedArrayError as error:
        return _State(audio, damage=f"{path} {error}")
    except AudioFileError as error:
        return _State(audio, problem=str(error))
    except OSError as error:
        return _State(audio, problem=f"{audio}: {os_reason(error)}")


def _open(path: Path, layout: CacheFormat) -> ArrayFile:
    """Open a whole array of the right form."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder where data.cache_dir keeps an array; remove it")
    try:
        opened = ArrayFile(path)
    except OSError as error:
        raise DamagedArrayError(f"cannot be opened: {os_reason(error)}") from error
    array = opened.array
    if array.dtype != np.dtype(layout.dtype) or array.shape[1:] != (layout.channels,):
        raise DamagedArrayError(f"holds {array.dtype} of shape {array.shape}")
    return opened


def _is_of(array: ArrayFile, audio: str) -> bool:
    """Tell whether an array was made from the audio file as it is now."""
    current = confirmed(array.source, audio)
    if current is not None and current != array.source:
        with contextlib.suppress(OSError):
            reseal(array.path, current)
    return current is not None


def os_reason(error: Exception) -> str:
    """Return what the system says about a file, without number and path."""
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _tell_renewed(states: Iterable[_State]) -> None:
    """Say in one line each how many arrays are damaged, and how many recordings have changed."""
    damaged = [state.damage for state in states if state.damage]
    changed = [state.audio for state in states if state.is_changed]
    if damaged:
        log.warning("decoding %d recordings again, whose cached arrays are damaged, e.g. %s", len(damaged), damaged[0])
    if changed:
        log.warning("decoding %d recordings again, which have changed since, e.g. %s", len(changed), changed[0])


def _prepare(folder: Path) -> None:
    """Make the folder.

    Raises:
        ValueError: if it cannot be written to.
    """
    try:
        check_folder(folder)
    except OutputError as error:
        raise ValueError(f"data.cache_dir={folder} cannot be written to ({error.reason}); {_WAYS_OUT}") from error


def _clear(folder: Path) -> None:
    """Delete what killed runs left half-written in a folder, also where no array is missing.

    Where the file system has no locks, which tell what a living process holds, that is what is older than a day.
    """
    remove_leftovers([folder])
    for path in folder.glob(".*.partial*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                path.unlink()


def _decode_all(missing: list[Recording], layout: CacheFormat) -> dict[str, str]:
    """Make arrays; return a sentence for each recording that cannot be decoded."""
    _check_space(missing, layout)
    start = time.monotonic()
    try:
        results = parallel_map(lambda recording: _make(recording, layout), missing, "Decoding")
    except OutputError as error:
        raise ValueError(f"data.cache_dir={layout.folder} could not be filled ({error}); {_WAYS_OUT}") from error
    log.info("decoded in %.1f s", time.monotonic() - start)
    clipped = [result for result in results if isinstance(result, int) and result]
    if clipped:
        log.warning("clipped %d samples of %d recordings; data.cache_dtype=float32 keeps them", sum(clipped), len(clipped))
    return {recording.path: result for recording, result in zip(missing, results, strict=True) if isinstance(result, str)}


def _check_space(missing: list[Recording], layout: CacheFormat) -> None:
    size = sum(layout.size_bytes(recording.seconds) for recording in missing)
    free, needed = shutil.disk_usage(layout.folder).free, _SPARE_BYTES + size
    log.info("decoding %d recordings to %s: %.2f GB, %.1f GB are free", len(missing), layout.folder, size / 1e9, free / 1e9)
    if needed > free:
        raise ValueError(
            f"data.cache_dir={layout.folder} has {free / 1e9:.2f} GB free but {needed / 1e9:.2f} GB are needed; {_WAYS_OUT}"
        )


def _make(recording: Recording, layout: CacheFormat) -> int | str:
    """Make an array unless another process has done so meanwhile; see `decode`."""
    if _look_up(recording, layout).array:
        return 0
    try:
        return decode(recording, layout.path_of(recording.path), layout)
    except FileNotFoundError:
        return f"{recording.path}: is gone"


def decode(recording: Recording, target: Path, layout: CacheFormat) -> int | str:
    """Write one array; return how many samples were clipped, or what is wrong with the recording.

    Raises:
        OutputError: if the folder or the disk does not take it.
    """
    try:
        with replaced_when_done(target) as temporary, open(temporary, "wb") as stream:
            return _write_array(recording, stream, layout)
    except OutputError:
        raise
    except AudioFileError as error:
        return str(error)
    except OSError as error:
        raise OutputError(target, f"could not be written: {os_reason(error)}") from error


def _write_array(recording: Recording, stream: BinaryIO, layout: CacheFormat) -> int:
    """Write one array to a file; return how many samples were clipped."""
    clipped = 0
    with named_errors(recording.path):
        source = identify(recording.path)  # Before decoding: what changes meanwhile is noticed at the next opening.
    writer = ArrayWriter(stream, layout.channels, layout.dtype)
    for block in decode_blocks(recording.path, layout.sample_rate, layout.channels):
        writer.append(to_stored(block.T, layout.dtype))
        clipped += _count_clipped(block, layout.dtype)
    writer.finish(source)
    return clipped


def _count_clipped(block: np.ndarray, dtype: str) -> int:
    return int(np.count_nonzero(np.abs(block) > 1)) if dtype == "int16" else 0
