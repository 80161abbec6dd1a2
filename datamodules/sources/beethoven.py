"""Recordings of Beethoven's 32 piano sonatas, divided 88/6/6 %.

The division is that of Mehri et al., "SampleRNN: An Unconditional End-to-End Neural Audio Generation Model", ICLR 2017, which
Kuleshov, Enam and Ermon 2017 use for super-resolution. They cut the music into pieces and divide these, so one movement is in all
splits; here whole sonatas are divided, so none is: 28, 2 and 2 of 32, 87.5, 6.25 and 6.25 %.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.sources import Recording, Source
from datamodules.sources.about import BEETHOVEN
from datamodules.splits import Split, hash_fraction

HELD_OUT_SHARE = 0.06
"""Of the sonatas, for val and as many for test; at least one each."""

_OPUS: dict[int, tuple[int, ...]] = {
    **{
        2: (1, 2, 3),
        7: (4,),
        10: (5, 6, 7),
        13: (8,),
        14: (9, 10),
        22: (11,),
        26: (12,),
        27: (13, 14),
        28: (15,),
        31: (16, 17, 18),
    },
    **{49: (19, 20), 53: (21,), 54: (22,), 57: (23,), 78: (24,), 79: (25,), 81: (26,), 90: (27,), 101: (28,), 106: (29,)},
    **{109: (30,), 110: (31,), 111: (32,)},
}
"""The sonatas of an opus, in its order."""
_NUMBER = re.compile(r"sonata[\W_]*(?:n[or][\W_]*|number[\W_]*)?(\d{1,2})(?!\d)", re.IGNORECASE)  # sonata_14_2
_NUMBER_AFTER_KEY = re.compile(r"sonata(?:(?!(?<![a-z])op)\D)*?(?<![a-z])n[or][\W_]*(\d{1,2})(?!\d)", re.IGNORECASE)
_NUMBER_OF_OPUS = re.compile(
    r"(?<![a-z])op(?:us)?[\W_]*(\d{1,3})a?(?!\d)(?:[\W_]*(?:n[or][\W_]*)?([123])(?!\d))?", re.IGNORECASE
)  # Op. 27 No. 2
_FIRST = re.compile(r"^\D{0,3}(\d{1,2})(?!\d)")  # 14-2.ogg, 14. Moonlight
_DISC = re.compile(r"^(?:cd|dis[ck]|vol)", re.IGNORECASE)
_SONATAS = range(1, 33)
_FEWEST_FOLDERS = 3


class BeethovenSource(Source):
    """List recordings of movements, grouped by the number or the opus of the sonata in the name of the file, or of a folder.

    A file whose path tells neither is a group of its own.

    Args:
        root: the folder of recordings.
    """

    def recordings(self) -> list[Recording]:
        """List the readable files in alphabetical order; see `Source.recordings`."""
        files = list(scan_folder(self.root).files) if self.root.is_dir() else []
        if not files:
            raise ValueError(BEETHOVEN.missing("audio files, of the 32 sonatas by number", self.place))
        seconds, self.skipped = self.readable(files)
        groups = groups_of({path: path.relative_to(self.root) for path in seconds})
        splits = divide(sorted(set(groups.values())))
        return [Recording(str(path), length, splits[groups[path]], groups[path]) for path, length in seconds.items()]


def groups_of(files: Mapping[Path, Path]) -> dict[Path, str]:
    """Name the sonata of each file, so that all of its movements are in one group.

    What says that it is a number or an opus of a sonata counts first, of the file's name, then of its folders. A number that
    only stands first is that of a folder where three folders have such numbers, as files in them are numbered by movement.

    Args:
        files: with their paths relative to the root.
    """
    told = {file: _told(inside) for file, inside in files.items()}
    of_folder = {file: _first_of_folder(inside) for file, inside in files.items()}
    by_folder = len(set(of_folder.values()) - {None}) >= _FEWEST_FOLDERS
    return {
        file: told[file] or (of_folder[file] if by_folder else None) or _first(inside.stem) or inside.as_posix()
        for file, inside in files.items()
    }


def _told(inside: Path) -> str | None:
    """Return the sonata that a name or a folder names as such, None if none does."""
    parts = (inside.stem, *reversed(inside.parts[:-1]))
    return next((group for part in parts if (group := _sonata_in(part))), None)


def _sonata_in(name: str) -> str | None:
    """Return the sonata that a text names.

    >>> [_sonata_in(name) for name in ("Piano Sonata No. 14", "sonata in C minor, op. 13", "Sonata Op. 27 No. 2", "07 Adagio")]
    ['sonata 14', 'sonata 8', 'sonata 14', None]
    """
    found = _NUMBER.search(name) or _NUMBER_AFTER_KEY.search(name)
    if found and int(found[1]) in _SONATAS:
        return f"sonata {int(found[1])}"
    opus = _NUMBER_OF_OPUS.search(name)
    sonatas = _OPUS.get(int(opus[1]), ()) if opus else ()
    if not opus or not sonatas:
        return None
    if len(sonatas) == 1:
        return f"sonata {sonatas[0]}"
    return f"sonata {sonatas[int(opus[2]) - 1]}" if opus[2] and int(opus[2]) <= len(sonatas) else f"opus {opus[1]}"


def _first_of_folder(inside: Path) -> str | None:
    folders = (part for part in reversed(inside.parts[:-1]) if not _DISC.match(part))
    return next((group for part in folders if (group := _first(part))), None)


def _first(name: str) -> str | None:
    found = _FIRST.match(name)
    return f"sonata {int(found[1])}" if found and int(found[1]) in _SONATAS else None


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
