"""Unpack the archives of a data set, check what came out, and write its MANIFEST.csv."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from datamodules.archives.listing import CORPORA, write_manifest
from datamodules.archives.unpacking import check_checksum, unpack
from datamodules.audio.folder import MANIFEST_NAME
from datamodules.audio.probing import absolute
from datamodules.splits import SPLITS


def prepare(name: str, archives: Sequence[Path], folder: Path, checksums: Sequence[str] = ()) -> int:
    """Prepare a data set and return the exit code: 0, or 1 if something is damaged or missing.

    Args:
        name: of `CORPORA`.
        archives: zip and tar files, all unpacked into one folder.
        folder: is made; what is there already is not unpacked again.
        checksums: of the first archives, in their order.

    Raises:
        ValueError: if an archive or the folder cannot be used, in a sentence.
    """
    root = absolute(folder)
    for archive, checksum in zip(archives, checksums, strict=False):
        check_checksum(archive, checksum)
    damaged = []
    for archive in archives:
        count, problems = unpack(archive, root)
        damaged += problems
        print(f"{archive}: {count} files, {len(problems)} of them damaged")
    corpus = CORPORA[name]
    source = corpus.source(str(root))
    recordings = source.recordings()
    for problem in damaged:
        print(f"skipped {problem}", file=sys.stderr)
    if name == "folder" and (root / MANIFEST_NAME).exists():
        print(f"{root / MANIFEST_NAME} was there, and is kept; without it the same command writes one of all files")
    else:
        print(f"wrote {write_manifest(root, recordings, corpus.license_id)}")
    counts = Counter(recording.split for recording in recordings)
    print(f"{', '.join(f'{split}: {counts[split]}' for split in SPLITS)} recordings; use them by data={name} data.root={root}")
    return 1 if damaged or source.skipped else 0
