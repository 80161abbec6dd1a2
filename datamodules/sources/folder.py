"""Any folders of audio files, split by their MANIFEST.csv files where there are some and by a hash elsewhere."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datamodules.audio.folder import without_repetitions
from datamodules.audio.probing import absolute
from datamodules.sources import Recording, Source
from datamodules.sources.entries import Entry, FolderEntries
from datamodules.splits import split_groups

NOT_LICENSES = ("unknown", "")
"""What a manifest writes where it does not know; it is refused whatever is asked for."""

log = logging.getLogger(__name__)


class FolderSource(Source):
    """List the audio files below a folder, at any depth, or below several.

    A `MANIFEST.csv` governs the files of its own folder: only the files in its column `file` are used; its optional
    columns `split` (train, val or validation, test) and `group` (piece, speaker: what must not be in two splits) decide
    the split, and a file without a split goes where its group is. It may list files of folders below it too, and then
    decides theirs. All other files are split by the hash of their parent folder where the audio lies in at least three
    folders, which keeps an album or a speaker together, and else by the hash of the file name. Of several links to one
    file only one is used, so that it cannot be in two splits. Of several folders each has its own manifests, and the name
    of the folder stands before those of its files and groups. They are speech if manifests say so of every file (`kind`).

    Args:
        root: the folder, or several; links to folders are followed and hidden files left out.
        pattern: of the names of the files to use, such as `piano_*`; the others are as if they were not there.
        root_weights: of several folders, the share of training windows that comes from each, up to a factor; None takes them
            by length.
        license_ids: only files whose manifest has one of these in its column `license_id`; None asks for nothing.
    """

    def __init__(
        self,
        root: str | Sequence[str],
        pattern: str = "*",
        root_weights: Sequence[float] | None = None,
        license_ids: Sequence[str] | None = None,
    ) -> None:
        """Remember the folders; nothing is read before `recordings()`.

        Raises:
            ValueError: if there is no folder, or another number of weights.
        """
        self.roots = [absolute(root)] if isinstance(root, str) else [absolute(one) for one in root]
        if not self.roots or (root_weights is not None and len(root_weights) != len(self.roots)):
            count = len(self.roots)
            raise ValueError(f"data.root names {count} folders and data.root_weights={root_weights}: give one weight for each")
        super().__init__(self.roots[0])
        self.pattern, self.root_weights = pattern, root_weights
        self.license_ids = None if license_ids is None else [license_id.strip().lower() for license_id in license_ids]

    @property
    def place(self) -> str:
        """Write the key of the folders with its value."""
        return super().place if len(self.roots) == 1 else f"{self.root_key}=[{','.join(map(str, self.roots))}]"

    def recordings(self) -> list[Recording]:
        """List the readable files in alphabetical order, folder by folder; see `Source.recordings`."""
        folders = [self._folder(root) for root in self.roots]
        unread = [sentence for folder in folders for sentence in folder.unread()]
        entries, shares = self._chosen(folders)
        seconds, unreadable = self.readable([entry.path for entry in entries])
        problems = [problem for folder in folders for problem in folder.problems]
        for problem in problems:
            log.warning("skipped folder %s", problem)
        self.skipped = [*problems, *unreadable, *unread]
        if not seconds:
            raise ValueError(f"{self.place} holds no readable audio file ({len(self.skipped)} unreadable)")
        usable = [entry for entry in entries if entry.path in seconds]
        self.kind = "speech" if all((entry.kind or "").strip().lower() == "speech" for entry in usable) else "music"
        given = {entry.group: entry.split for entry in entries if entry.split is not None}
        splits = split_groups(entry.group for entry in usable if entry.group not in given) | given
        return [
            Recording(
                str(entry.path), seconds[entry.path], entry.split or splits[entry.group], entry.group, entry.group not in given,
                name=entry.name, bandwidth_hz=entry.bandwidth_hz, share=shares.get(entry.path), labels=entry.labels,
            )
            for entry in usable
        ]  # fmt: skip

    def _folder(self, root: Path) -> FolderEntries:
        place = f"{self.root_key}={root}"
        if not root.is_dir():
            raise ValueError(f"{place} is not a folder; set {self.root_key} or AUDIO_DATA_ROOT to one with audio files")
        return FolderEntries(root, self.pattern, place)

    def _chosen(self, folders: Sequence[FolderEntries]) -> tuple[list[Entry], dict[Path, tuple[str, float]]]:
        """Join the files of all folders, each once, and give them their folder's share of the training windows."""
        entries: list[Entry] = []
        shares: dict[Path, tuple[str, float]] = {}
        for number, (label, folder) in enumerate(zip(_labels(self.roots), folders, strict=True)):
            first_seen = set(without_repetitions([entry.path for entry in folder.chosen], [entry.path for entry in entries]))
            own = [entry for entry in folder.chosen if entry.path in first_seen]
            if len(folders) > 1:
                own = [replace(entry, name=f"{label}/{entry.name}", group=f"{label}/{entry.group}") for entry in own]
            if self.root_weights is not None:
                shares |= {entry.path: (label, float(self.root_weights[number])) for entry in own}
            entries += own
        if not entries:
            count = sum(folder.count for folder in folders)
            raise ValueError(f"data.pattern={self.pattern} matches none of the {count} audio files in {self.place}")
        return self._licensed(entries), shares

    def _licensed(self, entries: list[Entry]) -> list[Entry]:
        """Leave out files that do not have one of the licenses that are asked for, and say how many."""
        if self.license_ids is None:
            return entries
        ids = [(entry.license_id or "").strip().lower() for entry in entries]
        allowed = [name in self.license_ids and name not in NOT_LICENSES for name in ids]
        wanted = f"data.license_ids=[{','.join(self.license_ids)}]"
        refused = Counter(name or "none stated" for name, fits in zip(ids, allowed, strict=True) if not fits)
        kinds = ", ".join(f"{count} {name}" for name, count in sorted(refused.items()))
        if not any(allowed):
            raise ValueError(f"{wanted} leaves nothing of {self.place}: of its MANIFEST.csv, license_id is {kinds}")
        if refused:
            log.warning("left out %d of %d recordings by %s: license_id is %s", refused.total(), len(entries), wanted, kinds)
        return [entry for entry, fits in zip(entries, allowed, strict=True) if fits]


def _labels(roots: Sequence[Path]) -> list[str]:
    """Name folders by the last part of their paths, and by a number too where that would not tell them apart."""
    seen: Counter[str] = Counter()
    labels = []
    for root in roots:
        seen[root.name] += 1
        labels.append(root.name if seen[root.name] == 1 else f"{root.name}-{seen[root.name]}")
    return labels
