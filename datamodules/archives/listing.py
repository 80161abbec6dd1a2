"""Write the MANIFEST.csv of an unpacked data set: what its files are, in the words of this project."""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.audio.folder import MANIFEST_NAME
from datamodules.audio.output import replaced_when_done
from datamodules.audio.partial import output_errors
from datamodules.sources import Recording, Source
from datamodules.sources.about import first_folder
from datamodules.sources.beethoven import BeethovenSource
from datamodules.sources.folder import FolderSource
from datamodules.sources.maestro import MaestroSource
from datamodules.sources.magnatagatune import MagnaTagATuneSource
from datamodules.sources.spear import SpearSource
from datamodules.sources.vctk import VCTKSource
from datamodules.sources.voicebank import VoiceBankSource

COLUMNS = ("file", "split", "group", "seconds", "corrupted", "license_id")


@dataclass(frozen=True)
class Corpus:
    """What can be prepared.

    Attributes:
        source: lists what lies in a folder.
        license_id: as MANIFEST.csv files have it; `unknown` where none is verified.
    """

    source: Callable[[str], Source]
    license_id: str = "unknown"


def _voicebank(root: str) -> Source:
    has_28, has_56 = (first_folder(Path(root), f"clean_trainset_{speakers}spk_wav") for speakers in (28, 56))
    return VoiceBankSource(root, 56 if has_56 and not has_28 else 28)


CORPORA: Mapping[str, Corpus] = {
    "voicebank": Corpus(_voicebank, "cc-by"),
    "vctk": Corpus(VCTKSource, "cc-by"),
    "maestro": Corpus(MaestroSource, "cc-by-nc-sa"),
    "beethoven": Corpus(BeethovenSource),
    "magnatagatune": Corpus(MagnaTagATuneSource),
    "spear": Corpus(SpearSource),
    "folder": Corpus(FolderSource),
}
"""By the name of the data set in conf/data."""


def write_manifest(folder: Path, recordings: Sequence[Recording], license_id: str) -> Path:
    """Write a line for every recording, with its partner where it has one.

    Raises:
        OutputError: if the folder does not take it.
    """
    path = folder / MANIFEST_NAME
    with replaced_when_done(path) as temporary, output_errors(path), open(temporary, "w", newline="", encoding="utf-8") as stream:
        table = csv.writer(stream, lineterminator="\n")
        table.writerow(COLUMNS)
        for item in recordings:
            corrupted = _relative(item.corrupted, folder) if item.corrupted else ""
            table.writerow([_relative(item.path, folder), item.split, item.group, f"{item.seconds:.3f}", corrupted, license_id])
    return path


def _relative(path: str, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
