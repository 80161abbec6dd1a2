"""A corpus of pairs: a folder of clean recordings, and one of the same recordings as they were corrupted in reality."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.audio.names import normalized
from datamodules.audio.notes import HANDFUL
from datamodules.audio.probing import absolute
from datamodules.sources import Recording
from datamodules.sources.folder import FolderSource

log = logging.getLogger(__name__)


class PairedSource(FolderSource):
    """List clean recordings as `FolderSource` does, each with its partner in another folder.

    Partners have the same name relative to their folders: letters with accents are equal however they are encoded, and the
    suffixes may differ. The clean folder decides splits and groups, so that partners are never torn apart.

    Args:
        clean_root: the folder of clean recordings, with a MANIFEST.csv or without.
        noisy_root: the folder of their corrupted partners.
        pattern: of the names of the clean files to use; see `FolderSource`.
        license_ids: of the clean files to use; see `FolderSource`.
    """

    root_key = "data.clean_root"

    def __init__(self, clean_root: str, noisy_root: str, pattern: str = "*", license_ids: Sequence[str] | None = None) -> None:
        """Remember the folders; nothing is read before `recordings()`."""
        super().__init__(clean_root, pattern, license_ids=license_ids)
        self.noisy_root = absolute(noisy_root)

    def recordings(self) -> list[Recording]:
        """List the clean files that have a partner in alphabetical order; see `Source.recordings`."""
        listed = super().recordings()
        if not self.noisy_root.is_dir():
            raise ValueError(f"data.noisy_root={self.noisy_root} is not a folder; set it to that of the corrupted recordings")
        if self.noisy_root == self.root:
            raise ValueError(f"data.noisy_root={self.noisy_root} is data.clean_root; corrupted recordings need their own folder")
        paired, problems = with_partners(listed, self.root, self.noisy_root)
        tell_alone(problems)
        self.skipped += problems
        if not paired:
            raise ValueError(
                f"none of the {len(listed)} recordings in data.clean_root={self.root} has a partner in "
                f"data.noisy_root={self.noisy_root}, e.g. {problems[0]}"
            )
        return paired


def tell_alone(problems: Sequence[str]) -> None:
    """Name a handful of files without a partner in a warning each, and count the others in one."""
    for problem in problems[:HANDFUL]:
        log.warning("skipped %s", problem)
    if problems[HANDFUL:]:
        log.warning("skipped %d more recordings without a partner", len(problems) - HANDFUL)


def with_partners(listed: Sequence[Recording], clean_root: Path, noisy_root: Path) -> tuple[list[Recording], list[str]]:
    """Give recordings the partners that have their names.

    Returns:
        Those that have exactly one, and a sentence for each file, clean or not, that has none or several.
    """
    partners, namesakes = defaultdict(list), Counter(_name(recording.path, clean_root) for recording in listed)
    for path in scan_folder(noisy_root).files:
        partners[_name(path, noisy_root)].append(str(path))
    paired, problems = [], []
    for recording in listed:
        name = _name(recording.path, clean_root)
        found = partners.get(name, [])
        if len(found) == namesakes[name] == 1:
            paired.append(replace(recording, corrupted=found[0]))
        else:
            count = f"{namesakes[name]} clean files and {len(found)} partners" if found else "no partner"
            problems.append(f"{recording.path}: {count} {noisy_root / name}.*; give it exactly one")
    for name, paths in partners.items():
        if name not in namesakes:
            problems += [f"{path}: no usable clean partner {clean_root / name}.*; give it exactly one" for path in paths]
    return paired, problems


def _name(path: str | Path, root: Path) -> str:
    """Return what partners share: the name relative to their folder, without suffix."""
    return normalized(Path(path).relative_to(root).with_suffix("").as_posix())
