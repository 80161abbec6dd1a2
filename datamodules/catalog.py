"""The recordings of a data set, opened split by split, with limits on their number and one sentence when there is none."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from datamodules.cache import Recordings
from datamodules.sources import Recording, Source
from datamodules.splits import SPLITS, Split, hash_fraction


class Catalog:
    """Open the recordings of a source, each split once and only when it is asked for.

    Args:
        source: what recordings exist.
        reader: makes chosen recordings readable, such as `CachedRecordings` with its format.
        limits: per split, how many recordings to use; None or a missing split uses all.

    Raises:
        ValueError: if a limit is not positive or names an unknown split.
    """

    def __init__(
        self, source: Source, reader: Callable[[Sequence[Recording]], Recordings], limits: Mapping[str, int | None]
    ) -> None:
        """Check the limits; nothing is read before `open`."""
        for split, limit in limits.items():
            if split not in SPLITS or (limit is not None and limit < 1):
                raise ValueError(
                    f"data.max_recordings.{split}={limit} is not possible; give {', '.join(SPLITS)} null or at least 1"
                )
        self._source, self._reader, self._limits = source, reader, limits
        self._listed: list[Recording] | None = None
        self._opened: dict[Split, Recordings] = {}

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
        return [*self._source.skipped, *(problem for opened in self._opened.values() for problem in opened.skipped)]

    def counts(self) -> dict[str, dict[str, Any]]:
        """Count recordings, hours and unreadable recordings of each opened split."""
        return {split: _count(opened) for split, opened in self._opened.items()}

    def _read(self, split: Split) -> Recordings:
        if self._listed is None:
            self._listed = self._source.recordings()
        members = [recording for recording in self._listed if recording.split == split]
        if not members:
            raise ValueError(
                f"split {split!r} is empty: none of the {len(self._listed)} recordings in data.root={self._source.root} belongs "
                "to it; three pieces or more, or a MANIFEST.csv with columns file and split, fill all splits"
            )
        opened = self._reader(_choose(members, self._limits.get(split)))
        if not opened.recordings:
            raise ValueError(
                f"split {split!r} is empty: {len(opened.skipped)} recordings are unreadable, e.g. {opened.skipped[0]}"
            )
        return opened


def _choose(recordings: list[Recording], limit: int | None) -> list[Recording]:
    """Pick recordings by the hash of their group and path, so that a smaller choice is part of every larger one."""
    if limit is None:
        return recordings
    by_hash = sorted(recordings, key=lambda recording: hash_fraction(f"{recording.group}/{recording.path.rsplit('/', 1)[-1]}"))
    chosen = set(by_hash[:limit])
    return [recording for recording in recordings if recording in chosen]


def _count(opened: Recordings) -> dict[str, Any]:
    hours = sum(recording.seconds for recording in opened.recordings) / 3600
    return {"recordings": len(opened.recordings), "hours": round(hours, 3), "unreadable": len(opened.skipped)}
