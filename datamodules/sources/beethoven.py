"""Recordings of Beethoven's 32 piano sonatas, divided 88/6/6 %.

The division is that of Mehri et al., "SampleRNN: An Unconditional End-to-End Neural Audio Generation Model", ICLR 2017, which
Kuleshov, Enam and Ermon 2017 use for super-resolution. They cut the music into pieces and divide these, so one movement is in all
splits; here whole sonatas are divided, so none is: 28, 2 and 2 of 32, 87.5, 6.25 and 6.25 %.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.sources import Recording, Source
from datamodules.sources.about import BEETHOVEN
from datamodules.splits import Split, hash_fraction

HELD_OUT_SHARE = 0.06
"""Of the sonatas, for val and as many for test; at least one each."""

_NUMBERED = (
    re.compile(r"sonata\D{0,10}?(\d{1,2})(?!\d)", re.IGNORECASE),  # Piano Sonata No. 14, sonata_14_2
    re.compile(r"^\D{0,3}(\d{1,2})(?!\d)"),  # 14-2.ogg, 14. Moonlight
)
_SONATAS = range(1, 33)


class BeethovenSource(Source):
    """List recordings of movements, grouped by the number of the sonata in the name of the file, or of its folder.

    A file whose name tells no number from 1 to 32 is a group of its own.

    Args:
        root: the folder of recordings.
    """

    def recordings(self) -> list[Recording]:
        """List the readable files in alphabetical order; see `Source.recordings`."""
        files = list(scan_folder(self.root).files) if self.root.is_dir() else []
        if not files:
            raise ValueError(BEETHOVEN.missing("audio files, of the 32 sonatas by number", self.place))
        seconds, self.skipped = self.readable(files)
        groups = {path: self._group(path) for path in seconds}
        splits = divide(sorted(set(groups.values())))
        return [Recording(str(path), length, splits[groups[path]], groups[path]) for path, length in seconds.items()]

    def _group(self, path: Path) -> str:
        inside = path.relative_to(self.root)
        for part in (inside.stem, *reversed(inside.parts[:-1])):
            for pattern in _NUMBERED:
                found = pattern.search(part)
                if found and int(found[1]) in _SONATAS:
                    return f"sonata {int(found[1])}"
        return inside.as_posix()


def divide(groups: Sequence[str]) -> dict[str, Split]:
    """Give 6 % of the groups to test, 6 % to val, those of the highest hash, and the others to train.

    >>> [list(divide([f"sonata {n}" for n in range(1, 33)]).values()).count(split) for split in ("train", "val", "test")]
    [28, 2, 2]
    """
    held_out = max(1, round(HELD_OUT_SHARE * len(groups)))
    ordered = sorted(groups, key=hash_fraction)
    splits: dict[str, Split] = dict.fromkeys(ordered, "train")
    splits |= dict.fromkeys(ordered[-2 * held_out :], "val")
    return splits | dict.fromkeys(ordered[-held_out:], "test")
