"""The MAESTRO data set of piano performances, version 2 or 3, with its official split.

Hawthorne et al., "Enabling Factorized Piano Music Modeling and Generation with the MAESTRO Dataset", ICLR 2019.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datamodules.audio.names import NameFinder
from datamodules.sources import Recording, Source
from datamodules.splits import parse_split

HOME_PAGE = "https://magenta.tensorflow.org/datasets/maestro"

_COLUMNS = ("canonical_composer", "canonical_title", "split", "year", "audio_filename")


class MaestroSource(Source):
    """List MAESTRO's recordings from its own metadata, the CSV or the JSON file.

    The group is the piece (composer and title): the official split keeps all performances of a piece together.

    Args:
        root: the folder `maestro-v3.0.0` or `maestro-v2.0.0`, or the folder that holds it.
        years: only recordings of these competition years, such as `[2004, 2006]`; None takes all.
    """

    def __init__(self, root: str, years: Sequence[int] | int | None = None) -> None:
        """Remember the folder; nothing is read before `recordings()`."""
        super().__init__(root)
        self.years = None if years is None else sorted({years} if isinstance(years, int) else {int(year) for year in years})

    def recordings(self) -> list[Recording]:
        """List the readable recordings in the order of the metadata; see `Source.recordings`."""
        metadata = self._find_metadata()
        rows = self._chosen_years(_read_rows(metadata), metadata)
        names = NameFinder(metadata.parent)
        path_of = {row["audio_filename"]: names.find(row["audio_filename"]) for row in rows}
        if not any(path.exists() for path in path_of.values()):
            raise ValueError(
                f"{metadata} lists {len(rows)} recordings but none of the audio files is there; "
                f"unpack the archive with the audio, not the one with MIDI only ({HOME_PAGE})"
            )
        seconds, self.skipped = self.readable(list(path_of.values()))
        if not seconds:
            raise ValueError(f"none of the {len(rows)} recordings listed in {metadata} is readable")
        return [
            Recording(str(path), seconds[path], parse_split(row["split"], str(metadata)), _piece(row))
            for row in rows
            if (path := path_of[row["audio_filename"]]) in seconds
        ]

    def _find_metadata(self) -> Path:
        """Return the newest version's CSV file, else its JSON file."""
        for suffix in ("csv", "json"):
            found = [*self.root.glob(f"maestro-v*.{suffix}"), *self.root.glob(f"*/maestro-v*.{suffix}")]
            if found:
                return max(found, key=lambda path: path.name)
        raise ValueError(
            f"no MAESTRO data set found: looked for maestro-v*.csv and maestro-v*.json in data.root={self.root} and its "
            f"folders; get it from {HOME_PAGE}, unpack it and set data.root or AUDIO_DATA_ROOT to the folder"
        )

    def _chosen_years(self, rows: list[dict[str, Any]], metadata: Path) -> list[dict[str, Any]]:
        if self.years is None:
            return rows
        known = sorted({int(row["year"]) for row in rows})
        unknown = sorted(set(self.years) - set(known))
        if unknown:
            raise ValueError(f"data.years={self.years}: {metadata.name} has no recordings of {unknown}; its years are {known}")
        return [row for row in rows if int(row["year"]) in self.years]


def _read_rows(metadata: Path) -> list[dict[str, Any]]:
    try:
        with open(metadata, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream)) if metadata.suffix == ".csv" else _json_rows(json.load(stream))
    except (OSError, ValueError) as error:
        raise ValueError(f"{metadata} cannot be read: {error}") from error
    missing = [column for column in _COLUMNS if not rows or rows[0].get(column) is None]
    if missing:
        raise ValueError(f"{metadata} is not MAESTRO's metadata: it lacks {', '.join(missing)}")
    return rows


def _json_rows(content: Any) -> list[dict[str, Any]]:
    """Read both layouts: a list of records, as in version 2, or one mapping per column, as in version 3."""
    if isinstance(content, list):
        return content
    return [{column: values[key] for column, values in content.items()} for key in content["audio_filename"]]


def _piece(row: dict[str, Any]) -> str:
    return f"{row['canonical_composer']}: {row['canonical_title']}"
