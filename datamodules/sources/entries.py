"""What the files of one folder are: which a MANIFEST.csv lists, and to which group each of them belongs."""

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from datamodules.audio.folder import MANIFEST_NAME, AudioFolder, ManifestRow, scan_folder, without_repetitions
from datamodules.audio.names import normalized
from datamodules.audio.probing import unread_files
from datamodules.audio.suffixes import read_suffixes
from datamodules.splits import Split

_FEWEST_FOLDERS = 3  # Fewer folders than splits cannot be the unit of splitting.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """A file that may be used.

    Attributes:
        path: where it lies.
        name: relative to its folder, with forward slashes.
        group: of its folder; see `Recording`.
        split: None where the hash of the group decides.
        license_id: as the MANIFEST.csv has it.
        bandwidth_hz: likewise.
        kind: likewise.
        source: likewise, or its column `source_repo`.
        speaker: likewise.
    """

    path: Path
    name: str
    group: str
    split: Split | None
    license_id: str | None = None
    bandwidth_hz: float | None = None
    kind: str | None = None
    source: str | None = None
    speaker: str | None = None

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """What the MANIFEST.csv says of it that a classifier may learn."""
        known = {"kind": self.kind, "source": self.source, "speaker": self.speaker}
        return tuple((task, value.strip()) for task, value in known.items() if value)


class FolderEntries:
    """The files below a folder, at any depth.

    Args:
        root: the folder.
        pattern: of the names of the files to use.
        place: the key of the folder with its value, for sentences.

    Attributes:
        chosen: the files that match the pattern, in alphabetical order.
        count: of all files.
        problems: one sentence per folder that cannot be read.

    Raises:
        ValueError: if there is no audio file, or a manifest contradicts itself.
    """

    def __init__(self, root: Path, pattern: str, place: str) -> None:
        """List the files."""
        self._root, self._pattern = root, pattern
        self._folder = scan_folder(root)
        _check_groups(self._folder)
        entries = self._entries()
        if not entries:
            suffixes = ", ".join(sorted(read_suffixes()))
            unread = f" ({self._folder.unread[0].name} is not read)" if self._folder.unread else ""
            raise ValueError(f"{place} holds no audio file{unread}; names must end in one of {suffixes}")
        self.count, self.problems = len(entries), self._folder.problems
        self.chosen = [entry for entry in sorted(entries, key=lambda entry: entry.path) if self._matches(entry.path)]

    def unread(self) -> list[str]:
        """Name files that look like audio and are not read in a warning each, and return a sentence for each."""
        governed = self._folder.manifests
        return unread_files([path for path in self._folder.unread if path.parent not in governed and self._matches(path)])

    def _entries(self) -> list[Entry]:
        folder, rows = self._folder, self._folder.rows()
        others = without_repetitions(folder.files, known=[row.path for row in rows])
        for governed in folder.manifests:
            unlisted = sum(path.parent == governed for path in others)
            if unlisted:
                log.warning(
                    "%s does not list %d audio files of its folder; they are not used", governed / MANIFEST_NAME, unlisted
                )
        entries = [self._listed(row) for row in rows]
        return entries + self._hashed([path for path in others if path.parent not in folder.manifests])

    def _matches(self, path: Path) -> bool:
        return fnmatchcase(normalized(path.name), normalized(self._pattern))

    def _listed(self, row: ManifestRow) -> Entry:
        name = Path(os.path.relpath(row.path, self._root)).as_posix()
        told = (row.split, row.license_id, row.bandwidth_hz, row.kind, row.source, row.speaker)
        return Entry(row.path, name, normalized(row.group or name), *told)

    def _hashed(self, paths: Sequence[Path]) -> list[Entry]:
        parents = {path.parent for path in paths}
        units = [path.parent if len(parents) >= _FEWEST_FOLDERS else path for path in paths]
        groups = [normalized(unit.relative_to(self._root).as_posix()) for unit in units]
        names = [path.relative_to(self._root).as_posix() for path in paths]
        return [Entry(path, name, group, None) for path, name, group in zip(paths, names, groups, strict=True)]


def _check_groups(folder: AudioFolder) -> None:
    """Refuse a table that gives the files of one group several splits.

    Raises:
        ValueError: naming table, group and splits.
    """
    for place, rows in folder.manifests.items():
        splits: dict[str, set[Split]] = {}
        for row in rows:
            if row.group and row.split:
                splits.setdefault(row.group, set()).add(row.split)
        for group, found in splits.items():
            if len(found) > 1:
                where = f"{place / MANIFEST_NAME} has group {group!r} in {' and '.join(sorted(found))}"
                raise ValueError(f"{where}; give all of its files one split")
