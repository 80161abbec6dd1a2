"""Cut every recording into a part for train, one for val and one for test: one recording is enough for all three."""

from dataclasses import replace

import numpy as np

from datamodules.cache import Recordings
from datamodules.pairs import Pairs
from datamodules.splits import TRAIN_SHARE, VAL_SHARE, Split

GAP_SECONDS = 1.0
"""Left out between two parts, so that a note or a room's decay is not in both."""


def time_part(length_samples: int, gap_samples: int, split: Split) -> tuple[int, int]:
    """Return start and length of a split's part: the first 80 % of what remains beside two gaps, then 10 % and 10 %.

    Example:
        >>> [time_part(120, 10, split) for split in ("train", "val", "test")]
        [(0, 80), (90, 10), (110, 10)]
    """
    shared = max(0, length_samples - 2 * gap_samples)
    train, val = int(TRAIN_SHARE * shared), int(VAL_SHARE * shared)
    if split == "train":
        return 0, train
    return (train + gap_samples, val) if split == "val" else (train + val + 2 * gap_samples, shared - train - val)


class TimeParts:
    """The parts of recordings that belong to one split, as recordings of their own; see `Recordings`.

    Args:
        whole: the whole recordings.
        split: whose parts.
        sample_rate: of the recordings, in Hz.
    """

    def __init__(self, whole: Recordings, split: Split, sample_rate: int) -> None:
        """Cut the recordings."""
        gap = round(GAP_SECONDS * sample_rate)
        self._whole, self.skipped = whole, whole.skipped
        self._parts = [time_part(whole.len_samples(index), gap, split) for index in range(len(whole.recordings))]
        self.recordings = [
            replace(recording, split=split, seconds=part[1] / sample_rate, part_samples=part)
            for recording, part in zip(whole.recordings, self._parts, strict=True)
        ]

    def len_samples(self, index: int) -> int:
        """Return the length of a part; see `Recordings`."""
        return self._parts[index][1]

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        """Return samples of a part; see `Recordings`."""
        first, length = self._parts[index]
        if not 0 <= start <= start + count <= length:
            raise IndexError(f"{count} samples from {start} on are not within a part of {length}")
        return self._whole.read(index, first + start, count)

    def read_corrupted(self, index: int, start: int, count: int) -> np.ndarray:
        """Return samples of the same part of the corrupted partner; see `pairs.Pairs`."""
        assert isinstance(self._whole, Pairs)
        return self._whole.read_corrupted(index, self._parts[index][0] + start, count)
