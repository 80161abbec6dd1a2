"""Where the data sets come from, how large they are and what their licenses allow; every figure with what it rests on."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class About:
    """What a person needs to know to get a data set.

    Attributes:
        title: its name.
        page: where it is offered.
        size: of the archives, with its source, or that it is unverified.
        license: likewise.
        command: the name that `clarion-prepare` knows it by; empty if there is nothing to unpack.
    """

    title: str
    page: str
    size: str
    license: str
    command: str

    def missing(self, looked_for: str, place: str) -> str:
        """Return a sentence that says where was looked, and how to get the data set.

        Args:
            looked_for: files or folders, as a person calls them.
            place: the key of the root with its value.
        """
        unpack = f"clarion-prepare {self.command} --from ARCHIVE -o DIR unpacks it, then set data.root=DIR"
        return (
            f"no {self.title} found: looked for {looked_for} in {place}; get it from {self.page} "
            f"(size: {self.size}; license: {self.license}); {unpack}"
        )


VOICEBANK = About(
    "VoiceBank+DEMAND",
    "https://doi.org/10.7488/ds/2117",
    "about 5 GB for the training archives of 28 speakers, unverified",
    "CC BY 4.0, as the record states",
    "voicebank",
)
VCTK = About(
    "VCTK corpus",
    "https://doi.org/10.7488/ds/2645",
    "about 11 GB for version 0.92, unverified",
    "CC BY 4.0, as public data cards of it state",
    "vctk",
)
BEETHOVEN = About(
    "recordings of Beethoven's piano sonatas",
    "https://archive.org, a collection of the 32 sonatas",
    "330 to 350 MB as Ogg Vorbis, as the slides of Billotais/Denoising-with-Generative-Models state",
    "unverified",
    "beethoven",
)
MAGNATAGATUNE = About(
    "MagnaTagATune",
    "https://mirg.city.ac.uk/codeapps/the-magnatagatune-dataset",
    "about 3 GB in three parts, unverified",
    "unverified",
    "magnatagatune",
)
SPEAR = About(
    "SpEAR database",
    "http://cslu.cse.ogi.edu/nsel/data/SpEAR_technical.html",
    "unverified",
    "for educational purposes, as its white paper states",
    "spear",
)


def first_folder(root: Path, name: str) -> Path | None:
    """Return the folder of a name in a root, or in one of the folders there; the root itself if it has that name."""
    candidates = [root / name, *sorted(path / name for path in _folders(root)), root]
    return next((path for path in candidates if path.name == name and path.is_dir()), None)


def _folders(root: Path) -> list[Path]:
    return [path for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
