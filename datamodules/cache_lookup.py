"""Find out what a cache holds of a recording: a whole array of the recording as it is now, or why there is none."""

import contextlib
import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from datamodules.array_file import ArrayFile, DamagedArrayError, Place, reseal
from datamodules.audio.checks import check_regular, is_scarcity
from datamodules.audio.file_facts import NO_FACTS, FileFacts
from datamodules.audio.io import AudioFileError
from datamodules.cache_format import CacheFormat
from datamodules.cache_index import CacheIndex, os_reason
from datamodules.identity import confirmed
from datamodules.sources import Recording

_CONTENT = "content"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
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


def look_up(recording: Recording, layout: CacheFormat, index: CacheIndex, facts: FileFacts = NO_FACTS) -> State:
    """Look for a whole array of a recording, among those that were made of it at different times.

    Raises:
        OSError: if the system lets no further file be opened.
    """
    audio = recording.path
    try:
        check_regular(audio)
        places = index.places(layout.key_of(audio))
        states = []
        for place in places:
            states.append(_try(place, audio, layout, facts))
            if states[-1].array is not None:
                return states[-1]
        return states[0] if states else State(audio)
    except AudioFileError as error:
        return State(audio, problem=str(error))
    except OSError as error:
        if is_scarcity(error):
            raise
        return State(audio, problem=f"{audio}: {os_reason(error)}")


def _try(place: Place, audio: str, layout: CacheFormat, facts: FileFacts) -> State:
    try:
        array = _open(place, layout)
        return State(audio, array) if _is_of(array, audio, facts) else State(audio, is_changed=True)
    except DamagedArrayError as error:
        return State(audio, damage=f"{place.path} {error}")


def _open(place: Place, layout: CacheFormat) -> ArrayFile:
    """Open a whole array of the right form."""
    try:
        array = ArrayFile(place)
    except OSError as error:
        raise DamagedArrayError(f"cannot be read: {os_reason(error)}") from error
    if array.dtype != np.dtype(layout.dtype) or array.shape[1:] != (layout.channels,):
        raise DamagedArrayError(f"holds {array.dtype} of shape {array.shape}")
    return array


def _is_of(array: ArrayFile, audio: str, facts: FileFacts) -> bool:
    """Tell whether an array was made from the audio file as it is now, which is opened unless its content is known."""
    seen = facts.look(audio)
    if seen.recall(_CONTENT) == array.source.digest.hex():
        return True
    current = confirmed(array.source, audio)
    if current is not None and current != array.source:
        with contextlib.suppress(OSError):
            reseal(array.place, current)
    if current is not None:
        seen.remember(_CONTENT, current.digest.hex())
    return current is not None


def tell_renewed(states: Iterable[State]) -> None:
    """Say in one line each how many arrays are damaged, and how many recordings have changed."""
    damaged = [state.damage for state in states if state.damage]
    changed = [state.audio for state in states if state.is_changed]
    if damaged:
        log.warning("decoding %d recordings again, whose cached arrays are damaged, e.g. %s", len(damaged), damaged[0])
    if changed:
        log.warning("decoding %d recordings again, which have changed since, e.g. %s", len(changed), changed[0])


def remove_damaged(index: CacheIndex) -> None:
    """Delete shards of which nothing can be found, so that they are told once; what was in them is missing then."""
    for path in index.damaged:
        with contextlib.suppress(OSError):
            path.unlink()
    unusable = [f"{path} {reason}" for path, reason in {**index.damaged, **index.unread}.items()]
    if unusable:
        log.warning(
            "%d files of decoded audio cannot be used, e.g. %s; decoding again what was in them", len(unusable), unusable[0]
        )
