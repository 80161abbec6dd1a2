"""Recordings that come with a recorded corrupted partner: both are read together, and pairs that do not fit are left out."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

import numpy as np

from datamodules.alignment import ALLOWED_SAMPLES
from datamodules.audio.io import AudioFileError
from datamodules.cache import Recordings
from datamodules.known_delays import KnownDelays
from datamodules.parallel import parallel_map
from datamodules.sources import Recording

_COMPARED_SAMPLES = 1 << 16

log = logging.getLogger(__name__)


@runtime_checkable
class Pairs(Recordings, Protocol):
    """Clean recordings of which some have a partner; see `Recordings`."""

    def read_corrupted(self, index: int, start: int, count: int) -> np.ndarray:
        """Return what `read` does, of the partner of a recording that has one."""
        ...


def read_corrupted(recordings: Recordings, index: int, start: int, count: int) -> np.ndarray | None:
    """Return float32 (C, count) of the partner of a recording, None where it has none.

    Raises:
        AudioFileError: if the file is damaged in this place.
    """
    if recordings.recordings[index].corrupted is None:
        return None
    assert isinstance(recordings, Pairs)
    return recordings.read_corrupted(index, start, count)


def open_recordings(
    recordings: Sequence[Recording], reader: Callable[[Sequence[Recording]], Recordings], delays: KnownDelays
) -> Recordings:
    """Make recordings readable, with their partners where they have some.

    Args:
        recordings: either all have a partner, or none.
        reader: makes clean recordings readable.
        delays: says which partners are late.
    """
    if any(recording.corrupted is not None for recording in recordings):
        return PairedRecordings(recordings, reader, delays)
    return reader(recordings)


class PairedRecordings:
    """Clean recordings and their partners, sample by sample; see `Pairs`.

    A pair is left out, and named in a sentence, if one of both cannot be read, if their lengths differ at the common sample rate,
    or if one is clearly late.

    Args:
        recordings: with a partner each; a clean recording may come with several, each of its own.
        reader: makes recordings readable, clean ones and partners alike.
        delays: says which partners are late.
    """

    def __init__(
        self, recordings: Sequence[Recording], reader: Callable[[Sequence[Recording]], Recordings], delays: KnownDelays
    ) -> None:
        """Open both sides and compare them."""
        self._delays = delays
        self._clean = reader(list({item.path: item for item in recordings}.values()))
        clean = {item.path: place for place, item in enumerate(self._clean.recordings)}
        self._corrupted = reader([replace(item, path=str(item.corrupted)) for item in recordings if item.path in clean])
        corrupted = {item.path: place for place, item in enumerate(self._corrupted.recordings)}
        readable = [item for item in recordings if item.path in clean and item.corrupted in corrupted]
        found = [(clean[item.path], corrupted[str(item.corrupted)]) for item in readable]
        flaws = parallel_map(lambda pair: self._flaw(*pair), found, "Comparing partners")
        delays.keep()
        self._places = [pair for pair, flaw in zip(found, flaws, strict=True) if not flaw]
        self.recordings = [item for item, flaw in zip(readable, flaws, strict=True) if not flaw]
        named = [flaw for flaw in flaws if flaw]
        for flaw in named:
            log.warning("skipped %s", flaw)
        self.skipped = [*self._clean.skipped, *self._corrupted.skipped, *named]

    def len_samples(self, index: int) -> int:
        """Return the length of a recording, and of its partner; see `Recordings`."""
        return self._clean.len_samples(self._places[index][0])

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return a part of a clean recording; see `Recordings`."""
        return self._clean.read(self._places[index][0], start, count)

    def read_corrupted(self, index: int, start: int, count: int) -> np.ndarray:
        """Return the same part of its partner; see `Pairs`."""
        return self._corrupted.read(self._places[index][1], start, count)

    def _flaw(self, clean: int, corrupted: int) -> str:
        """Say what is wrong with a pair, in a sentence that begins with the path of the partner; empty if nothing is."""
        path, partner = self._clean.recordings[clean].path, self._corrupted.recordings[corrupted].path
        length, length_of_partner = self._clean.len_samples(clean), self._corrupted.len_samples(corrupted)
        if length != length_of_partner:
            return f"{partner}: has {length_of_partner} samples, and its clean partner {path} {length}; both must have as many"
        count = min(length, _COMPARED_SAMPLES)
        start = (length - count) // 2
        try:
            delay = self._delays.of(self._clean.read(clean, start, count), self._corrupted.read(corrupted, start, count))
        except AudioFileError as error:
            return str(error)
        late = f"{abs(delay)} samples {'late' if delay > 0 else 'early'}"
        allowed = f"at most {ALLOWED_SAMPLES} is allowed"
        return f"{partner}: is {late} against its clean partner {path}; {allowed}" if delay else ""
