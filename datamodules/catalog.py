"""The recordings of a data set, opened split by split, with limits on their number and one sentence when there is none."""

import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from datamodules.bandwidths import wide_enough
from datamodules.cache import Recordings
from datamodules.duplicates import keep_together
from datamodules.needs import Needs
from datamodules.sources import Recording, Source
from datamodules.splits import SPLITS, Split, hash_fraction, split_groups
from datamodules.time_parts import GAP_SECONDS, TimeParts

Reader = Callable[[Sequence[Recording]], Recordings]

_SMALL_SETS = "data.split=time cuts every recording into train, val and test, so that one is enough"

log = logging.getLogger(__name__)


class Catalog(ABC):
    """Open the recordings of a source, each split once and only when it is asked for.

    Args:
        source: what recordings exist.
        reader: makes chosen recordings readable, such as `CachedRecordings` with its format.
        limits: per split, how many recordings to use; None or a missing split uses all.
        needs: what makes a recording usable.

    Raises:
        ValueError: if a limit is not positive or names an unknown split.
    """

    def __init__(self, source: Source, reader: Reader, limits: Mapping[str, int | None], needs: Needs) -> None:
        """Check the limits; nothing is read before `open`."""
        for split, limit in limits.items():
            if split not in SPLITS or (limit is not None and limit < 1):
                raise ValueError(
                    f"data.max_recordings.{split}={limit} is not possible; give {', '.join(SPLITS)} null or at least 1"
                )
        self._source, self._reader, self._limits, self._needs = source, reader, limits, needs
        self._opened: dict[Split, Recordings] = {}
        self._left_out: Counter[Split] = Counter()  # Unreadable recordings that were not handed to the reader again.

    def open(self, split: Split) -> Recordings:
        """Return the readable recordings of a split.

        Raises:
            ValueError: if there is none.
        """
        if split not in self._opened:
            self._opened[split] = self._read(split)
        return self._opened[split]

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file that could not be used, in the source or in the opened splits."""
        sentences = [*self._source.skipped, *(problem for opened in self._opened.values() for problem in opened.skipped)]
        return list(dict.fromkeys(sentences))

    def counts(self) -> dict[str, dict[str, Any]]:
        """Count recordings, hours and unreadable recordings of each opened split."""
        return {split: _count(opened, self._left_out[split]) for split, opened in self._opened.items()}

    @abstractmethod
    def _read(self, split: Split) -> Recordings:
        """Open a split; see `open`."""


class RecordingCatalog(Catalog):
    """Whole recordings, each in the split that the data set or the hash of its group decides.

    Where the hash decides, a split that holds nothing usable gives its groups up, and the others are divided again.

    Args:
        source: see `Catalog`.
        reader: see `Catalog`.
        limits: see `Catalog`.
        needs: see `Catalog`.
        allow_duplicates: leave equal recordings where they are; see `duplicates`.
    """

    def __init__(
        self,
        source: Source,
        reader: Reader,
        limits: Mapping[str, int | None],
        needs: Needs,
        allow_duplicates: bool = False,
    ) -> None:
        """Check the limits; nothing is read before `open`."""
        super().__init__(source, reader, limits, needs)
        self._allow_duplicates = allow_duplicates
        self._listed: list[Recording] | None = None
        self._flaws: dict[tuple[str, Split], str] = {}
        self._unreadable: dict[str, str] = {}

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file that could not be used; see `Catalog.skipped`."""
        return list(dict.fromkeys([*super().skipped, *self._unreadable.values()]))

    def _read(self, split: Split) -> Recordings:
        listed = self._list()
        members = [recording for recording in listed if recording.split == split]
        if not members:
            raise ValueError(f"split {split!r} is empty: {self._why_empty(listed)}")
        chosen = self._choose(members, split)
        readable = [recording for recording in chosen if recording.heard not in self._unreadable]
        self._left_out[split] = len(chosen) - len(readable)
        opened = self._reader(readable)
        if not opened.recordings:
            problems = [*opened.skipped, *(self._unreadable[item.heard] for item in members if item.heard in self._unreadable)]
            raise ValueError(f"split {split!r} is empty: {len(problems)} recordings are unreadable, e.g. {problems[0]}")
        return opened

    def _why_empty(self, listed: list[Recording]) -> str:
        place, flaw = self._source.place, next((flaw for flaw in self._flaws.values() if flaw), "")
        if not listed:
            return f"nothing in {place} can be used, e.g. {flaw}"
        others = f", and of the others nothing can be used, e.g. {flaw}" if flaw else ""
        return (
            f"none of the {len(listed)} usable recordings in {place} belongs to it{others}; three pieces or more, or a "
            f"MANIFEST.csv with columns file and split, fill all splits; {_SMALL_SETS}"
        )

    def _list(self) -> list[Recording]:
        if self._listed is None:
            listed = wide_enough(self._source.recordings(), self._needs.bandwidth_hz)
            self._listed = self._divide(listed if self._allow_duplicates else keep_together(listed, self._source.facts))
        return self._listed

    def _divide(self, listed: list[Recording]) -> list[Recording]:
        """Take groups that the hash gave to a split without anything usable out, and divide the others again."""
        while useless := {item.group for split in SPLITS for item in self._useless(listed, split)}:
            kept = [item for item in listed if not (item.by_hash and item.group in useless)]
            log.warning(
                "left out %d recordings, because nothing in them can be used and they would fill a split alone, e.g. %s",
                len(listed) - len(kept), next(flaw for flaw in self._flaws.values() if flaw),
            )  # fmt: skip
            splits = split_groups(item.group for item in kept if item.by_hash)
            listed = [replace(item, split=splits[item.group]) if item.by_hash else item for item in kept]
        return listed

    def _useless(self, listed: list[Recording], split: Split) -> list[Recording]:
        """Return the recordings that the hash gave to a split if nothing in the split can be used."""
        members = [item for item in listed if item.split == split]
        by_hash = [item for item in members if item.by_hash]
        return by_hash if by_hash and not self._any_usable(_by_hash(members), split) else []

    def _any_usable(self, recordings: list[Recording], split: Split) -> bool:
        return any(not self._flaw(recording, split) for recording in recordings)

    def _flaw(self, recording: Recording, split: Split) -> str:
        key = recording.heard, split
        if key not in self._flaws:
            self._flaws[key] = self._unreadable.get(recording.heard) or self._look(recording, split)
        return self._flaws[key]

    def _look(self, recording: Recording, split: Split) -> str:
        opened = self._reader([recording])
        if opened.recordings:
            return self._needs.flaw(opened, 0, split)
        self._unreadable[recording.heard] = opened.skipped[0]
        return opened.skipped[0]

    def _choose(self, recordings: list[Recording], split: Split) -> list[Recording]:
        """Pick as many recordings as the limit says: the first of them that are not all of no use."""
        limit = self._limits.get(split)
        if limit is None:
            return recordings
        handfuls = list(_handfuls(_by_hash(recordings), limit))
        chosen = next((handful for handful in handfuls if self._any_usable(handful, split)), handfuls[0])
        return [recording for recording in recordings if recording in chosen]


class TimeCatalog(Catalog):
    """All recordings in all splits, each cut apart by time; see `time_parts`."""

    def _read(self, split: Split) -> Recordings:
        recordings = wide_enough(self._source.recordings(), self._needs.bandwidth_hz)
        limit = self._limits.get(split)
        chosen = set(_by_hash(recordings)[:limit])
        parts = TimeParts(self._reader([item for item in recordings if item in chosen]), split, self._needs.sample_rate)
        longest = max((parts.len_samples(index) for index in range(len(parts.recordings))), default=0)
        if longest < self._needs.samples(split):
            rate, needed = self._needs.sample_rate, self._needs.samples(split)
            raise ValueError(
                f"data.split=time leaves split {split!r} at most {longest / rate:.2f} s of a recording in "
                f"{self._source.place}, but it needs {needed / rate:.2f} s; of each, val and test get a tenth after two "
                f"gaps of {GAP_SECONDS:g} s: give longer recordings, or smaller data.window_samples or data.eval_seconds"
            )
        return parts


CATALOGS = ("recordings", "time")
"""What `data.split` may be."""


def build_catalog(
    split: str, source: Source, reader: Reader, limits: Mapping[str, int | None], needs: Needs, allow_duplicates: bool
) -> Catalog:
    """Make the catalog that `data.split` asks for.

    Raises:
        ValueError: if it is unknown.
    """
    if split == "time":
        return TimeCatalog(source, reader, limits, needs)
    if split == "recordings":
        return RecordingCatalog(source, reader, limits, needs, allow_duplicates)
    raise ValueError(f"data.split={split!r} is unknown; known: {', '.join(CATALOGS)}")


def _by_hash(recordings: Sequence[Recording]) -> list[Recording]:
    """Order by the hash of group and path, so that a smaller choice is part of every larger one."""
    return sorted(recordings, key=lambda recording: hash_fraction(f"{recording.group}/{recording.path.rsplit('/', 1)[-1]}"))


def _handfuls(recordings: list[Recording], size: int) -> Iterator[list[Recording]]:
    return (recordings[start : start + size] for start in range(0, len(recordings), size))


def _count(opened: Recordings, left_out: int) -> dict[str, Any]:
    hours = sum(recording.seconds for recording in opened.recordings) / 3600
    return {"recordings": len(opened.recordings), "hours": round(hours, 3), "unreadable": len(opened.skipped) + left_out}
