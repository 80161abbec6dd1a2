"""Names of files, compared as a reader does: a letter with an accent is one letter, however it is encoded.

The tables of data sets hold composed letters (Unicode's NFC), file systems and archives of macOS decomposed ones (NFD).
"""

import os
import unicodedata
from pathlib import Path


def normalized(name: str) -> str:
    """Return a name with composed letters; bytes that are no valid text pass."""
    return unicodedata.normalize("NFC", name)


class NameFinder:
    """Find files by the names that a table gives, relative to its folder.

    Args:
        folder: where the table lies.
    """

    def __init__(self, folder: Path) -> None:
        """Remember the folder; it is listed only if a name is not found as it is."""
        self._folder = folder
        self._listings: dict[Path, dict[str, str]] = {}

    def find(self, name: str) -> Path:
        """Return the path of the file of this name, or the path that it should have if there is none."""
        exact = self._folder / name
        if os.path.lexists(exact):
            return exact
        found = self._folder
        for part in Path(name).parts:
            found = found / (part if os.path.lexists(found / part) else self._listing(found).get(normalized(part), part))
        return found if os.path.lexists(found) else exact

    def _listing(self, folder: Path) -> dict[str, str]:
        if folder not in self._listings:
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
            self._listings[folder] = {normalized(name): name for name in names}
        return self._listings[folder]
