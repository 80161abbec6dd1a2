"""The SpEAR database: speech played in a room with noise, and the same speech without as clean reference, at 16 kHz.

Speech Enhancement and Assessment Resource, CSLU, Oregon Graduate Institute,
http://cslu.cse.ogi.edu/nsel/data/SpEAR_technical.html. How its archives lay their files out is read here from the few names that
publications show, such as `bigtips_whiter1_16.wav`, and is unverified.
"""

import re
from collections import defaultdict
from pathlib import Path

from datamodules.audio.folder import scan_folder
from datamodules.audio.names import normalized
from datamodules.sources import Recording, Source
from datamodules.sources.about import SPEAR
from datamodules.sources.paired import tell_alone
from datamodules.splits import split_groups

_CLEAN = re.compile(r"clean|reference", re.IGNORECASE)
_RATE = re.compile(r"_\d+$")


class SpearSource(Source):
    """List noisy recordings with their clean reference, split by the hash of the spoken text.

    Files whose names begin alike, up to the first underscore, are of one spoken text. The clean reference is the file whose name,
    or whose folder's, holds `clean` or `reference`, or that has nothing but the rate behind the text; the others are noisy. Of
    the clean ones that nearest to the noisy one in the tree is taken.

    Args:
        root: the folder of the unpacked database.
    """

    kind = "speech"

    def recordings(self) -> list[Recording]:
        """List the pairs in alphabetical order of the noisy files; see `Source.recordings`."""
        files = list(scan_folder(self.root).files) if self.root.is_dir() else []
        clean = defaultdict(list)
        for path in files:
            if self._is_clean(path):
                clean[_text(path)].append(path)
        noisy = [path for path in files if not self._is_clean(path)]
        alone = [f"{path}: has no clean reference {_text(path)}_*clean*" for path in noisy if _text(path) not in clean]
        paired = {path: _nearest(path, clean[_text(path)]) for path in noisy if _text(path) in clean}
        if not paired:
            looked_for = "noisy files and their clean references, such as TEXT_white_16.wav and TEXT_16.wav"
            raise ValueError(SPEAR.missing(looked_for, self.place))
        tell_alone(alone)
        seconds, unreadable = self.readable(sorted({*paired.values()}))
        self.skipped = [*unreadable, *alone]
        splits = split_groups(_text(path) for path in paired)
        return [
            Recording(
                str(reference), seconds[reference], splits[_text(path)], _text(path), True, corrupted=str(path),
                name=path.relative_to(self.root).as_posix(),
            )
            for path, reference in paired.items()
            if reference in seconds
        ]  # fmt: skip

    def _is_clean(self, path: Path) -> bool:
        inside = path.relative_to(self.root).as_posix()
        return bool(_CLEAN.search(inside)) or "_" not in _RATE.sub("", path.stem)


def _text(path: Path) -> str:
    return normalized(path.stem).partition("_")[0]


def _nearest(path: Path, references: list[Path]) -> Path:
    """Return the reference that shares most folders with a file, of several the first by name."""

    def shared(reference: Path) -> int:
        return sum(one == other for one, other in zip(path.parts, reference.parts, strict=False))

    return min(references, key=lambda reference: (-shared(reference), reference))
