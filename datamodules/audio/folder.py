"""What lies in a folder of audio files: the files at any depth, and what its MANIFEST.csv files say of them."""

import csv
import math
import os
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from datamodules.audio.checks import AudioFileError, check_regular
from datamodules.audio.names import NameFinder
from datamodules.audio.suffixes import has_suffix, read_suffixes, unread_suffixes
from datamodules.audio.walking import walk
from datamodules.splits import Split, parse_split

MANIFEST_NAME = "MANIFEST.csv"

Named = TypeVar("Named", bound="ManifestRow | Path")


@dataclass(frozen=True)
class ManifestRow:
    """What a manifest says of one file; an empty cell and a missing column are both None."""

    path: Path
    split: Split | None
    group: str | None
    license_id: str | None = None
    bandwidth_hz: float | None = None
    kind: str | None = None
    source: str | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class AudioFolder:
    """A scanned folder.

    Attributes:
        files: the audio files, in alphabetical order.
        manifests: the folders with a manifest, and its rows.
        problems: one sentence per folder that cannot be read.
        unread: files whose names say that they are audio of a kind that is not read, in alphabetical order.
    """

    files: tuple[Path, ...]
    manifests: dict[Path, tuple[ManifestRow, ...]]
    problems: tuple[str, ...]
    unread: tuple[Path, ...] = ()

    def rows(self) -> list[ManifestRow]:
        """List the rows of all manifests, each file once: the manifest nearest to it decides, and there its first row."""
        nearest_first = sorted(self.manifests, key=lambda folder: (-len(folder.parts), folder))
        return without_repetitions([row for folder in nearest_first for row in self.manifests[folder]])


def scan_folder(root: Path) -> AudioFolder:
    """Find the audio files and the manifests below a folder.

    Links to folders are followed, but never in a circle; hidden files and folders are left out, among them the `._` files of
    macOS.

    Raises:
        ValueError: if a manifest cannot be read.
    """
    named: list[Path] = []
    manifests: dict[Path, tuple[ManifestRow, ...]] = {}
    errors: list[OSError] = []
    for folder, names in walk(root, errors.append):
        named += [folder / name for name in names]
        if MANIFEST_NAME in names:
            manifests[folder] = read_manifest(folder / MANIFEST_NAME)
    problems = tuple(f"{error.filename}: {(error.strerror or str(error)).lower()}" for error in errors)
    files, unread = (_ending_in(suffixes, named) for suffixes in (read_suffixes(), unread_suffixes()))
    return AudioFolder(files, manifests, problems, unread)


def read_manifest(manifest: Path) -> tuple[ManifestRow, ...]:
    """Read a table with the columns `file` (relative to the manifest's folder) and, if there are, those of `ManifestRow`.

    Raises:
        ValueError: if the table cannot be read, a row names no file, a split is unknown or a bandwidth is no number.
    """
    try:
        check_regular(manifest)
        with open(manifest, newline="", encoding="utf-8-sig") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error, AudioFileError) as error:
        raise ValueError(f"{manifest} cannot be read: {error}") from error
    if any(not row.get("file") for row in rows):
        raise ValueError(f"{manifest} needs a column `file` with a name in every row")
    names = NameFinder(manifest.parent)
    return tuple(
        ManifestRow(
            names.find(row["file"]),
            parse_split(row["split"], str(manifest)) if row.get("split") else None,
            row.get("group") or None,
            row.get("license_id") or None,
            _bandwidth_hz(row, manifest),
            row.get("kind") or None,
            row.get("source") or row.get("source_repo") or None,
            row.get("speaker") or None,
        )
        for row in rows
    )


def _bandwidth_hz(row: dict[str, str], manifest: Path) -> float | None:
    """Read the column `bandwidth_hz_estimate`.

    Raises:
        ValueError: if it holds anything but a number above zero.
    """
    text = (row.get("bandwidth_hz_estimate") or "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise ValueError(f"{manifest}: bandwidth_hz_estimate={text} of {row['file']} must be a number of Hz above 0, or empty")
    return value


def without_repetitions(items: Sequence[Named], known: Iterable[Path] = ()) -> list[Named]:
    """Leave out what leads to the same real file as an earlier item, whatever links are on the way.

    Args:
        items: rows or paths.
        known: files that count as earlier.
    """
    seen = {os.path.realpath(path) for path in known}
    kept = []
    for item in items:
        real = os.path.realpath(item.path if isinstance(item, ManifestRow) else item)
        if real not in seen:
            seen.add(real)
            kept.append(item)
    return kept


def _ending_in(suffixes: Container[str], paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(sorted(path for path in paths if has_suffix(path, suffixes)))
