"""The folder of recordings from which a corruption draws, and which of them serve which split."""

import copy
import logging
from pathlib import Path
from typing import ClassVar, Self

from datamodules.audio.folder import MANIFEST_NAME, AudioFolder, scan_folder, without_repetitions
from datamodules.audio.io import AudioFileError, AudioInfo
from datamodules.audio.probing import probe_all, unread_files
from datamodules.parallel import parallel_map
from datamodules.splits import SPLITS, Split, parse_split

MATCHING = "matching"

log = logging.getLogger(__name__)


class RecordedFiles:
    """The usable audio files of a folder.

    Attributes:
        kind: what the keys of the configuration begin with, such as `noise` in `noise_root` and `noise_split`.
        skipped: one sentence per file that could not be used; shared with what `for_split` returns.
    """

    kind: ClassVar[str]

    def __init__(self, root: str, split: str | None = MATCHING) -> None:
        """List and check the files; unusable ones are named in one warning each and left out.

        Args:
            root: folder, searched with its subfolders.
            split: `train`, `val` or `test` uses only the files that the folder's MANIFEST.csv (columns `file`, `split`) gives
                this split; None uses all files. `matching` leaves the choice to `for_split` where a manifest gives splits,
                and uses all files for every split where none does.

        Raises:
            ValueError: if the folder, its manifest or any usable file is missing.
        """
        folder = Path(root)
        if not folder.is_dir():
            raise ValueError(f"{self.kind}_root={root!r} is not a folder")
        found = scan_folder(folder)
        split_of = self._splits(folder, found, split)
        probed = probe_all(list(split_of))
        infos = [result for result in probed if isinstance(result, AudioInfo)]
        damage = [problem for problem in parallel_map(self._problem, infos, "Checking recordings") if problem is not None]
        unread = unread_files([path for path in found.unread if path.parent not in found.manifests])
        self.skipped = [*(str(problem) for problem in (*probed, *damage) if isinstance(problem, AudioFileError)), *unread]
        damaged = {problem.path for problem in damage}
        self._files = tuple(info for info in infos if info.path not in damaged)
        if not self._files:
            raise ValueError(f"{self.kind}_root={root!r} holds no readable audio file for {self.kind}_split={split!r}")
        served = {name: tuple(info for info in self._files if split_of[info.path] == name) for name in SPLITS}
        self._served = served if split == MATCHING and any(served.values()) else {}

    def for_split(self, split: Split) -> Self:
        """Return these files, or with `matching` those that a manifest gives to a split.

        Raises:
            ValueError: if there are splits but no usable file of this one.
        """
        if not self._served:
            return self
        if not self._served[split]:
            raise ValueError(
                f"{self.kind}_split='{MATCHING}' finds no usable file of split {split!r} in the {MANIFEST_NAME} of "
                f"{self.kind}_root; give it some, or set corruption.{self.kind}_split=null to use all files for every split"
            )
        chosen = copy.copy(self)
        chosen._files, chosen._served = self._served[split], {}
        return chosen

    def check_file(self, info: AudioInfo) -> None:
        """Look into a file whose header is good.

        Raises:
            AudioFileError: if it cannot be used.
        """
        raise NotImplementedError

    def report(self, error: AudioFileError) -> None:
        """Remember what is wrong with a file and warn of it, the first time."""
        if not any(sentence.startswith(f"{error.path}: ") for sentence in self.skipped):
            log.warning("skipped %s", error)
            self.skipped.append(str(error))

    def _splits(self, folder: Path, found: AudioFolder, split: str | None) -> dict[Path, Split | None]:
        """Map the files to be used to their splits."""
        listed: dict[Path, Split | None] = {row.path: row.split for row in found.rows() if row.split is not None}
        if split is None or (split == MATCHING and not listed):
            return dict.fromkeys(without_repetitions(found.files))
        manifest = folder / MANIFEST_NAME
        if not listed:
            raise ValueError(f"{self.kind}_split={split!r} needs {manifest} with the columns file and split")
        if split == MATCHING:
            unlisted = without_repetitions(found.files, known=listed)
            if unlisted:
                log.warning("%d files of %s have no split in a %s; no split uses them", len(unlisted), folder, MANIFEST_NAME)
            return {**listed, **dict.fromkeys(unlisted)}
        wanted = parse_split(split, f"{self.kind}_split, beside {MATCHING} and null")
        if wanted not in listed.values():
            known = ", ".join(sorted({str(name) for name in listed.values()}))
            raise ValueError(f"{self.kind}_split={split!r} is not in {manifest}; known: {known}")
        return {path: name for path, name in listed.items() if name == wanted}

    def _problem(self, info: AudioInfo) -> AudioFileError | None:
        try:
            self.check_file(info)
        except AudioFileError as error:
            log.warning("skipped %s", error)
            return error
        return None
