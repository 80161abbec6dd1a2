"""Any folder of audio files, split by its MANIFEST.csv files where there are some and by a hash elsewhere."""

import csv
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from datamodules.audio_io import AUDIO_SUFFIXES
from datamodules.sources import Recording, Split
from datamodules.sources.probing import absolute, readable_files
from datamodules.sources.splits import parse_split, split_groups

MANIFEST_NAME = "MANIFEST.csv"

_FEWEST_FOLDERS = 3  # Fewer folders than splits cannot be the unit of splitting.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Entry:
    path: Path
    group: str
    split: Split | None  # None: to be decided by the hash of the group.


class FolderSource:
    """List the audio files below a folder, at any depth.

    A `MANIFEST.csv` governs the files of its own folder: only the files in its column `file` are used; its optional
    columns `split` (train, val or validation, test) and `group` (piece, speaker: what must not be in two splits) decide
    the split. Files of other folders are split by the hash of their parent folder where the audio lies in at least three
    folders, which keeps an album or a speaker together, and else by the hash of the file name.

    Args:
        root: The folder; links to folders are followed and hidden files left out.
    """

    def __init__(self, root: str) -> None:
        """Remember the folder; nothing is read before `recordings()`."""
        self.root = absolute(root)
        self.skipped: list[str] = []

    def recordings(self) -> list[Recording]:
        """List the readable files in alphabetical order; see `Source.recordings`."""
        entries = self._entries()
        seconds, self.skipped = readable_files([entry.path for entry in entries])
        if not seconds:
            raise ValueError(f"data.root={self.root} holds no readable audio file ({len(self.skipped)} unreadable)")
        usable = [entry for entry in entries if entry.path in seconds]
        hashed = split_groups(entry.group for entry in usable if entry.split is None)
        return [
            Recording(str(entry.path), seconds[entry.path], entry.split or hashed[entry.group], entry.group) for entry in usable
        ]

    def _entries(self) -> list[_Entry]:
        if not self.root.is_dir():
            raise ValueError(f"data.root={self.root} is not a folder; set data.root or AUDIO_DATA_ROOT to one with audio files")
        folders = _audio_folders(self.root)
        entries = self._hashed_entries({path: names for path, names in folders.items() if MANIFEST_NAME not in names})
        for folder, names in folders.items():
            entries += self._manifest_entries(folder, names) if MANIFEST_NAME in names else []
        if not entries:
            suffixes = ", ".join(sorted(AUDIO_SUFFIXES))
            raise ValueError(f"data.root={self.root} holds no audio file; names must end in one of {suffixes}")
        return sorted(entries, key=lambda entry: entry.path)

    def _hashed_entries(self, folders: dict[Path, list[str]]) -> list[_Entry]:
        paths = [folder / name for folder, names in folders.items() for name in _audio_names(names)]
        parents = {path.parent for path in paths}
        units = [path.parent if len(parents) >= _FEWEST_FOLDERS else path for path in paths]
        return [_Entry(path, unit.relative_to(self.root).as_posix(), None) for path, unit in zip(paths, units, strict=True)]

    def _manifest_entries(self, folder: Path, names: list[str]) -> list[_Entry]:
        manifest = folder / MANIFEST_NAME
        rows = _manifest_rows(manifest)
        unlisted = set(_audio_names(names)) - {row["file"] for row in rows}
        if unlisted:
            log.warning("%s does not list %d audio files of its folder; they are not used", manifest, len(unlisted))
        prefix = folder.relative_to(self.root).as_posix()
        return [
            _Entry(
                folder / row["file"],
                row.get("group") or f"{prefix}/{row['file']}",
                parse_split(row["split"], str(manifest)) if row.get("split") else None,
            )
            for row in rows
        ]


def _audio_folders(root: Path) -> dict[Path, list[str]]:
    """Map every folder to its file names, following links but never in a circle."""
    folders: dict[Path, list[str]] = {}
    visited: set[str] = set()
    for folder, children, names in os.walk(root, followlinks=True, onerror=_warn_of_folder):
        children[:] = sorted(child for child in children if not child.startswith("."))
        real = os.path.realpath(folder)
        if real in visited:
            children.clear()
            continue
        visited.add(real)
        folders[Path(folder)] = sorted(names)
    return folders


def _warn_of_folder(error: OSError) -> None:
    log.warning("skipped folder %s: %s", error.filename, error.strerror)


def _audio_names(names: list[str]) -> list[str]:
    return [name for name in names if Path(name).suffix.lower() in AUDIO_SUFFIXES and not name.startswith(".")]


def _manifest_rows(manifest: Path) -> list[dict[str, str]]:
    try:
        with open(manifest, newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{manifest} cannot be read: {error}") from error
    if any(not row.get("file") for row in rows):
        raise ValueError(f"{manifest} needs a column `file` with a name in every row")
    return rows
