"""Make what a cache lacks, once for all processes that need it: each group of recordings is decoded by whoever claims it."""

import contextlib
import logging
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from datamodules.array_file import ArrayFile
from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.output import OutputError, check_folder
from datamodules.audio.partial import remove_leftovers
from datamodules.cache_decoding import Outcome, decode, keys_of
from datamodules.cache_format import CacheFormat
from datamodules.cache_index import CacheIndex
from datamodules.cache_lookup import look_up, remove_damaged, tell_renewed
from datamodules.cache_reading import flaws_of_all
from datamodules.parallel import parallel_map, tracked
from datamodules.sources import Recording
from machine.locks import give_up, take

SHARD_BYTES = (1 << 22, 1 << 27)
"""Least and most that a shard is meant to hold. A killed run loses one for each of its processors, seconds of work."""
SHARDS = 64
"""Into so many the recordings are divided where the bounds allow it, so that all processors have work."""

_WAYS_OUT = "set data.cache_dir or CLARION_CACHE to another folder, or data.cache=stream to decode while training"
_LEFTOVER_SECONDS = 24 * 3600
_SPARE_BYTES = 100_000_000  # Left free on the disk.
_WAIT_SECONDS = 0.2

log = logging.getLogger(__name__)


def fill(
    recordings: Sequence[Recording], layout: CacheFormat, facts: FileFacts = NO_FACTS
) -> tuple[dict[str, ArrayFile], list[str]]:
    """Make the missing arrays; return the array of each usable recording and a sentence for each other one.

    Raises:
        ValueError: if a readable one is missing and the folder cannot be written to or has not enough space.
    """
    _clear(layout.shards)
    index = CacheIndex(layout.shards)
    remove_damaged(index)
    states = parallel_map(lambda recording: look_up(recording, layout, index, facts), recordings, "Opening the cache")
    tell_renewed(states)
    problems = {state.audio: state.problem for state in states if state.problem}
    arrays = {state.audio: state.array for state in states if state.array}
    done = problems.keys() | arrays.keys()
    groups = [[item for item in group if item.path not in done] for group in grouped(recordings, layout)]
    missing = [item for group in groups for item in group]
    if missing:
        problems |= _make([group for group in groups if group], missing, layout)
        index = CacheIndex(layout.shards)
        made = [look_up(item, layout, index, facts) for item in missing if item.path not in problems]
        arrays |= {state.audio: state.array for state in made if state.array}
        problems |= {state.audio: f"{state.audio}: changes while it is decoded" for state in made if not state.array}
    for problem in problems.values():
        log.warning("skipped %s", problem)
    return arrays, list(problems.values())


def grouped(recordings: Sequence[Recording], layout: CacheFormat) -> list[list[Recording]]:
    """Divide recordings into the groups that share a shard, by their order and nothing else.

    A run that goes on therefore makes the shards that the one that was killed would have made.
    """
    sizes = [layout.size_bytes(recording.seconds) for recording in recordings]
    least, most = SHARD_BYTES
    wanted = min(most, max(least, sum(sizes) // SHARDS))
    groups: list[list[Recording]] = []
    room = 0
    for recording, size in zip(recordings, sizes, strict=True):
        if room <= 0:
            groups.append([])
            room = wanted
        groups[-1].append(recording)
        room -= size
    return groups


def _make(groups: list[list[Recording]], missing: list[Recording], layout: CacheFormat) -> dict[str, str]:
    """Make shards; return a sentence for each unreadable recording.

    Raises:
        ValueError: if the folder cannot be written to although a missing recording is readable, or has not enough space.
    """
    try:
        check_folder(layout.shards)
    except OutputError as error:
        flaws = flaws_of_all(missing, layout)
        if flaws is None:
            raise ValueError(f"data.cache_dir={layout.folder} cannot be written to ({error.reason}); {_WAYS_OUT}") from error
        return flaws
    return _decode_all(groups, layout)


def _clear(folder: Path) -> None:
    """Delete what killed runs left half-written in a folder, also where no array is missing.

    Where the file system has no locks, which tell what a living process holds, that is what is older than a day.
    """
    remove_leftovers([folder])
    for path in folder.glob(".*.partial*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _LEFTOVER_SECONDS:
                path.unlink()


def _decode_all(groups: list[list[Recording]], layout: CacheFormat) -> dict[str, str]:
    """Make shards, or wait for those that another process makes; return a sentence for each unreadable recording."""
    _check_space([item for group in groups for item in group], layout)
    start = time.monotonic()
    try:
        tried = parallel_map(lambda group: _attempt(group, layout), groups, "Decoding")
        busy = [group for group, outcome in zip(groups, tried, strict=True) if outcome is None]
        outcomes = [*(outcome for outcome in tried if outcome is not None), *_wait_for(busy, layout)]
    except OutputError as error:
        raise ValueError(f"data.cache_dir={layout.folder} could not be filled ({error}); {_WAYS_OUT}") from error
    log.info("decoded in %.1f s", time.monotonic() - start)
    results = {path: result for outcome in outcomes for path, result in outcome.items()}
    clipped = [result for result in results.values() if isinstance(result, int) and result]
    if clipped:
        log.warning("clipped %d samples of %d recordings; data.cache_dtype=float32 keeps them", sum(clipped), len(clipped))
    return {path: result for path, result in results.items() if isinstance(result, str)}


def _check_space(missing: list[Recording], layout: CacheFormat) -> None:
    size = sum(layout.size_bytes(recording.seconds) for recording in missing)
    free, needed = shutil.disk_usage(layout.shards).free, _SPARE_BYTES + size
    log.info("decoding %d recordings to %s: %.2f GB, %.1f GB are free", len(missing), layout.folder, size / 1e9, free / 1e9)
    if needed > free:
        raise ValueError(
            f"data.cache_dir={layout.folder} has {free / 1e9:.2f} GB free but {needed / 1e9:.2f} GB are needed; {_WAYS_OUT}"
        )


def _attempt(group: list[Recording], layout: CacheFormat) -> Outcome | None:
    """Make a shard of what is still missing of a group; None if another process is at it."""
    shard = layout.shard_of(list(keys_of(group, layout).values()))
    with _claimed(shard) as is_mine:
        if not is_mine:
            return None
        missing = _still_missing(group, layout) if shard.exists() else group
        return decode(missing, layout) if missing else {}


def _still_missing(group: list[Recording], layout: CacheFormat) -> list[Recording]:
    index = CacheIndex(layout.shards)
    return [item for item in group if not look_up(item, layout, index).array]


@contextlib.contextmanager
def _claimed(shard: Path) -> Iterator[bool]:
    """Hold a shard for this process, if no other one does; the claim of a killed process ends with it."""
    path = shard.with_name(f".{shard.stem[:32]}.partial.lock")  # As of half-written files, which `remove_leftovers` deletes.
    lock, has_locks = None, True
    try:
        lock = take(path)
    except OSError:  # Then two processes may decode the same, and one of two equal shards stays.
        has_locks = False
    try:
        yield lock is not None or not has_locks
    finally:
        if lock is not None:
            give_up(lock)


def _wait_for(busy: list[list[Recording]], layout: CacheFormat) -> Iterator[Outcome]:
    """Wait until other processes have made shards; what one of them has left because it was killed is made here."""
    if busy:
        log.info("waiting for another process, which decodes %d of these recordings", sum(map(len, busy)))
    yield from tracked(_outcomes(busy, layout), len(busy), "Waiting for another process")


def _outcomes(busy: list[list[Recording]], layout: CacheFormat) -> Iterator[Outcome]:
    for group in busy:
        while (outcome := _attempt(group, layout)) is None:
            time.sleep(_WAIT_SECONDS)
        yield outcome
