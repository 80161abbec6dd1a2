"""Make the folder of recordings that the tables were measured on, from checkouts of the public repositories that hold them.

    python benchmarks/rebuild_recordings.py CHECKOUTS -o DIR

docs/recordings.csv says which file of which commit each recording is. CHECKOUTS holds the repositories as OWNER/NAME; what is
missing is named with the commands that fetch it. DIR gets the audio and a MANIFEST.csv, which `data=folder` reads. Pieces that
were rendered from recorded notes are left out, as the sampler is no part of this project.
"""

import argparse
import csv
import hashlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import soundfile

LIST = Path(__file__).resolve().parent.parent / "docs" / "recordings.csv"
RENDERED = "rendered_from_recorded_samples"
COLUMNS = {"file": "file", "split": "split", "group": "group", "kind": "kind", "duration_s": "seconds"}
"""Of the manifest, by the columns of the list."""

Row = Mapping[str, str]


def excerpt(source: Path, row: Row) -> np.ndarray:
    """Return the part of a file that is used, (T, C) in 16 bits.

    Raises:
        ValueError: if the file has another rate.
    """
    rate_hz = soundfile.info(source).samplerate
    if rate_hz != int(row["sample_rate_hz"]):
        raise ValueError(f"{source} has {rate_hz} Hz, not {row['sample_rate_hz']}: is this commit {row['commit']}?")
    start, frames = round(float(row["start_s"] or 0) * rate_hz), round(float(row["seconds"]) * rate_hz)
    audio, _ = soundfile.read(source, frames, start, dtype="float64", always_2d=True)
    mixed = audio.mean(axis=1, keepdims=True) if row["channels"] == "1" else audio
    return np.clip(np.round(mixed * 32768), -32768, 32767).astype(np.int16)


def rebuild(row: Row, checkouts: Path, folder: Path) -> str:
    """Write one recording and say how it compares with the one that was used."""
    audio = excerpt(checkouts / row["repository"] / row["path"], row)
    soundfile.write(folder / row["file"], audio, int(row["sample_rate_hz"]), subtype="PCM_16")
    same = hashlib.sha256(audio.tobytes()).hexdigest() == row["sha256"]
    return f"{row['file']}: {'the same samples' if same else 'other samples; what was changed: ' + row['changes']}"


def rebuilt(row: Row, checkouts: Path, folder: Path) -> bool:
    """Write one recording and tell of it, or of what is wrong with its file."""
    try:
        print(rebuild(row, checkouts, folder))
    except (ValueError, soundfile.LibsndfileError) as error:
        print(f"left out {row['file']}: {error}", file=sys.stderr)
        return False
    return True


def missing(rows: Sequence[Row], checkouts: Path) -> list[str]:
    """Return the commands that fetch what is not there, one for each repository."""
    wanted = {(row["repository"], row["commit"]) for row in rows if not (checkouts / row["repository"] / row["path"]).is_file()}
    return [
        f"git clone https://github.com/{name} {checkouts / name} && git -C {checkouts / name} checkout {commit}"
        for name, commit in sorted(wanted)
    ]


def write_manifest(rows: Sequence[Row], folder: Path) -> None:
    with open(folder / "MANIFEST.csv", "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        writer.writerows([row[column] for column in COLUMNS.values()] for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Rebuild the recordings of the tables.")
    parser.add_argument("checkouts", type=Path, help="folder with the repositories as OWNER/NAME")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="gets the audio and MANIFEST.csv")
    parser.add_argument("--page", default="results", help="whose tables: results or restoring")
    parser.add_argument("--list", type=Path, default=LIST, metavar="CSV", help="by default docs/recordings.csv")
    options = parser.parse_args(arguments)
    with open(options.list, newline="", encoding="utf-8") as stream:
        listed = [row for row in csv.DictReader(stream) if row["page"] == options.page]
    rows = [row for row in listed if row["kind"] != RENDERED]
    if commands := missing(rows, options.checkouts):
        print("fetch what is missing, then try again:", *commands, sep="\n", file=sys.stderr)
        return 1
    options.output.mkdir(parents=True, exist_ok=True)
    made = [row for row in rows if rebuilt(row, options.checkouts, options.output)]
    write_manifest(made, options.output)
    print(f"{len(made)} recordings in {options.output}; {len(listed) - len(rows)} rendered pieces are left out")
    return 0 if len(made) == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
