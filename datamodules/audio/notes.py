"""What a person should be told about files that are restored, a sentence each, and few where many files share it."""

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from datamodules.audio.checks import AudioFileError, UnreadFormatError
from datamodules.audio.clipping import Clipping
from datamodules.audio.codecs import KNOWN_TAGS
from datamodules.audio.tree import RestoreJob

HANDFUL = 5
"""Files of one kind that are named one by one."""


def files(count: int) -> str:
    """Write a number of files."""
    return f"{count} file" if count == 1 else f"{count} files"


def skipped_lines(skipped: Sequence[AudioFileError], inputs: Iterable[str | os.PathLike[str]]) -> list[str]:
    """Say of each file why it is skipped; of formats that are not read, only a handful beside those that were asked for.

    Args:
        skipped: what cannot be worked on.
        inputs: the files and folders of the command line.
    """
    asked = {Path(given) for given in inputs}
    found = [error for error in skipped if isinstance(error, UnreadFormatError) and error.path not in asked]
    unnamed = found[HANDFUL:]
    lines = [f"skipped {error}" for error in skipped if error not in unnamed]
    return [*lines, f"skipped {unread_summary([error.path for error in unnamed])}"] if unnamed else lines


def unread_summary(paths: Sequence[Path]) -> str:
    """Count files of formats that are not read by the endings of their names."""
    counts = Counter(path.suffix.lower() for path in paths)
    kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
    return f"{len(paths)} more {'file' if len(paths) == 1 else 'files'} of formats that are not read ({kinds})"


def narrow_lines(jobs: Sequence[RestoreJob], method_rate_hz: Callable[[int], int]) -> list[str]:
    """Say which files keep their upper band because the method works at a lower rate; a line for all files of a rate.

    Args:
        jobs: the files.
        method_rate_hz: gives the rate of the method for files of a rate.
    """
    groups: dict[int, list[str]] = {}
    for job in jobs:
        groups.setdefault(job.source.sample_rate_hz, []).append(str(job.source.path))
    lines = []
    for rate_hz, names in sorted(groups.items()):
        own_hz = method_rate_hz(rate_hz)
        if own_hz < rate_hz:
            kept = f"everything above {_khz(own_hz / 2)} stays as it was, because the method works at {_khz(own_hz)}"
            lines.append(f"note: {_shortened(names)} at {_khz(rate_hz)}: {kept}")
    return lines


def _khz(frequency_hz: float) -> str:
    return f"{frequency_hz / 1000:g} kHz"


def _shortened(names: Sequence[str]) -> str:
    shown = ", ".join(names[:HANDFUL])
    return f"{shown} and {len(names) - HANDFUL} more" if len(names) > HANDFUL else shown


def recoded_lines(jobs: Sequence[RestoreJob]) -> list[str]:
    """Say which files are written in another format because there is no encoder for theirs; a line for all of an ending."""
    groups: dict[tuple[str, str], list[str]] = {}
    for job in jobs:
        if job.source.held_by:
            groups.setdefault((job.source.path.suffix.lower(), job.form.suffix), []).append(str(job.source.path))
    return [
        f"note: {_shortened(names)}: {own} files are read but not written; the result is {written[1:].upper()}, "
        f"which keeps of tags and pictures the {', '.join(KNOWN_TAGS)} and number of a track"
        for (own, written), names in sorted(groups.items())
    ]


def clipping_lines(path: Path, clipping: Clipping) -> list[str]:
    """Say how many samples of a result were clipped, or by how much it was turned down; nothing if neither was done."""
    if clipping.gain < 1:
        return [f"note: {path}: turned down by {-20 * math.log10(clipping.gain):.1f} dB, so that its peak is at full scale"]
    if not clipping.clipped:
        return []
    share, excess_db = 100 * clipping.clipped / clipping.samples, clipping.excess_db
    amount = f"{excess_db:.1f} dB" if excess_db >= 0.05 else "less than 0.1 dB"
    count = f"{clipping.clipped} of {clipping.samples} samples ({_percent(share)})"
    if clipping.is_lossy:
        exceeded = f"{count} exceed full scale, the peak by {amount}; what plays the file clips them"
        return [f"note: {path}: {exceeded}; --clip-mode rescale turns it down"]
    clipped = f"{count} clipped, the peak exceeded full scale by {amount}"
    return [f"note: {path}: {clipped}; --subtype FLOAT --clip-mode none keeps them"]


def _percent(share: float) -> str:
    return f"{share:.2g} %" if share >= 0.01 else "less than 0.01 %"
