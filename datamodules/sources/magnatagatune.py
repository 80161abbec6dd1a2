"""MagnaTagATune: 25,863 clips of 29 s of music of many kinds in 16 folders, of which 12 train, 1 validates and 3 test.

Law et al., "Evaluation of Algorithms Using Games: The Case of Music Tagging", ISMIR 2009. The division 12:1:3 by folders is the
one that publications on tagging use.
"""

from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.sources import Recording, Source
from datamodules.sources.about import MAGNATAGATUNE
from datamodules.splits import Split

FOLDERS: dict[str, Split] = {
    **dict.fromkeys("0123456789ab", "train"),
    "c": "val",
    **dict.fromkeys("def", "test"),
}


class MagnaTagATuneSource(Source):
    """List the clips of the folders 0 to f; a group is the song that a clip is cut from, within its folder.

    A few clips of the data set are empty; they are named and left out like every unreadable file.

    Args:
        root: the folder that holds the folders 0 to f, or one above it.
    """

    def recordings(self) -> list[Recording]:
        """List the readable clips in alphabetical order; see `Source.recordings`."""
        folders = self._folders()
        files = [path for name, folder in folders.items() for path in scan_folder(folder).files]
        if not files:
            raise ValueError(MAGNATAGATUNE.missing("the folders 0 to 9 and a to f with clips in them", self.place))
        seconds, self.skipped = self.readable(files)
        return [
            Recording(str(path), length, FOLDERS[path.parent.name], f"{path.parent.name}/{_song(path)}")
            for path, length in seconds.items()
        ]

    def _folders(self) -> dict[str, Path]:
        above = [self.root, *sorted(path for path in self.root.iterdir() if path.is_dir())] if self.root.is_dir() else []
        found = [{name: place / name for name in FOLDERS if (place / name).is_dir()} for place in above]
        return max(found, key=len, default={})


def _song(path: Path) -> str:
    """Return the name of a clip without the seconds at its end.

    >>> _song(Path("f/american_bach_soloists-heinrich_schutz__musicalische_exequien-01-i-30-59.mp3"))
    'american_bach_soloists-heinrich_schutz__musicalische_exequien-01-i'
    """
    parts = path.stem.rsplit("-", 2)
    return parts[0] if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit() else path.stem
