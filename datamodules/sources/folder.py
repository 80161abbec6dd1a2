"""Any folder of audio files, split by its MANIFEST.csv files where there are some and by a hash elsewhere."""

import logging
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from datamodules.audio.folder import MANIFEST_NAME, AudioFolder, ManifestRow, scan_folder, without_repetitions
from datamodules.audio.names import normalized
from datamodules.audio.probing import readable_files, unread_files
from datamodules.audio.suffixes import read_suffixes
from datamodules.sources import Recording, Source
from datamodules.splits import Split, split_groups

_FEWEST_FOLDERS = 3  # Fewer folders than splits cannot be the unit of splitting.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    path: Path
    group: str
    split: Split | None  # None: to be decided by the hash of the group.


class FolderSource(Source):
    """List the audio files below a folder, at any depth.

    A `MANIFEST.csv` governs the files of its own folder: only the files in its column `file` are used; its optional
    columns `split` (train, val or validation, test) and `group` (piece, speaker: what must not be in two splits) decide
    the split, and a file without a split goes where its group is. It may list files of folders below it too, and then
    decides theirs. All other files are split by the hash of their parent folder where the audio lies in at least three
    folders, which keeps an album or a speaker together, and else by the hash of the file name. Of several links to one
    file only one is used, so that it cannot be in two splits.

    Args:
        root: the folder; links to folders are followed and hidden files left out.
        pattern: of the names of the files to use, such as `piano_*`; the others are as if they were not there.
    """

    def __init__(self, root: str, pattern: str = "*") -> None:
        """Remember the folder; nothing is read before `recordings()`."""
        super().__init__(root)
        self.pattern = pattern

    def recordings(self) -> list[Recording]:
        """List the readable files in alphabetical order; see `Source.recordings`."""
        if not self.root.is_dir():
            raise ValueError(f"{self.place} is not a folder; set {self.root_key} or AUDIO_DATA_ROOT to one with audio files")
        folder = scan_folder(self.root)
        _check_groups(folder)
        unread = self._unread(folder)
        entries = self._chosen(self._entries(folder))
        seconds, unreadable = readable_files([entry.path for entry in entries])
        for problem in folder.problems:
            log.warning("skipped folder %s", problem)
        self.skipped = [*folder.problems, *unreadable, *unread]
        if not seconds:
            raise ValueError(f"{self.place} holds no readable audio file ({len(self.skipped)} unreadable)")
        usable = [entry for entry in entries if entry.path in seconds]
        given = {entry.group: entry.split for entry in entries if entry.split is not None}
        splits = split_groups(entry.group for entry in usable if entry.group not in given) | given
        return [
            Recording(
                str(entry.path), seconds[entry.path], entry.split or splits[entry.group], entry.group, entry.group not in given
            )
            for entry in usable
        ]

    def _entries(self, folder: AudioFolder) -> list[_Entry]:
        rows = folder.rows()
        others = without_repetitions(folder.files, known=[row.path for row in rows])
        for governed in folder.manifests:
            unlisted = sum(path.parent == governed for path in others)
            if unlisted:
                log.warning(
                    "%s does not list %d audio files of its folder; they are not used", governed / MANIFEST_NAME, unlisted
                )
        entries = [self._listed(row) for row in rows]
        entries += self._hashed([path for path in others if path.parent not in folder.manifests])
        if not entries:
            suffixes = ", ".join(sorted(read_suffixes()))
            unread = f" ({folder.unread[0].name} is not read)" if folder.unread else ""
            raise ValueError(f"{self.place} holds no audio file{unread}; names must end in one of {suffixes}")
        return sorted(entries, key=lambda entry: entry.path)

    def _unread(self, folder: AudioFolder) -> list[str]:
        governed = folder.manifests
        return unread_files([path for path in folder.unread if path.parent not in governed and self._matches(path)])

    def _chosen(self, entries: list[_Entry]) -> list[_Entry]:
        chosen = [entry for entry in entries if self._matches(entry.path)]
        if not chosen:
            raise ValueError(f"data.pattern={self.pattern} matches none of the {len(entries)} audio files in {self.place}")
        return chosen

    def _matches(self, path: Path) -> bool:
        return fnmatchcase(normalized(path.name), normalized(self.pattern))

    def _listed(self, row: ManifestRow) -> _Entry:
        group = row.group or Path(os.path.relpath(row.path, self.root)).as_posix()
        return _Entry(row.path, normalized(group), row.split)

    def _hashed(self, paths: list[Path]) -> list[_Entry]:
        parents = {path.parent for path in paths}
        units = [path.parent if len(parents) >= _FEWEST_FOLDERS else path for path in paths]
        groups = [normalized(unit.relative_to(self.root).as_posix()) for unit in units]
        return [_Entry(path, group, None) for path, group in zip(paths, groups, strict=True)]


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
