"""Parts of a recording follow each other with a gap, and nothing is read across their ends."""

import numpy as np
import pytest

from datamodules.sources import Recording
from datamodules.splits import SPLITS
from datamodules.time_parts import GAP_SECONDS, TimeParts, time_part

RATE_HZ = 100


class Ramp:
    skipped = ()

    def __init__(self, *lengths):
        self.recordings = [Recording(f"/{index}.wav", length / RATE_HZ, "train", "g") for index, length in enumerate(lengths)]
        self._lengths = lengths

    def len_samples(self, index):
        return self._lengths[index]

    def read(self, index, start, count):
        return np.arange(start, start + count)[None]


@pytest.mark.parametrize("length", [0, 1, 199, 200, 201, 1234, 100_003])
def test_parts_are_in_order_apart_and_within_the_recording(length):
    parts = [time_part(length, 100, split) for split in SPLITS]
    assert sum(count for _, count in parts) == max(0, length - 200)
    if length > 200:
        assert parts[0][0] == 0
        assert parts[2][0] + parts[2][1] == length
        assert all(parts[next_][0] - sum(parts[next_ - 1]) == 100 for next_ in (1, 2))


def test_shares_are_eighty_ten_ten():
    assert [time_part(10_200, 100, split)[1] for split in SPLITS] == [8000, 1000, 1000]


def test_parts_read_the_recording_at_their_place_and_never_beyond():
    gap = round(GAP_SECONDS * RATE_HZ)
    for split in SPLITS:
        parts = TimeParts(Ramp(1000 + 2 * gap, 50), split, RATE_HZ)
        start, length = time_part(1000 + 2 * gap, gap, split)
        assert [parts.len_samples(0), parts.len_samples(1)] == [length, 0]
        assert parts.read(0, 0, length)[0].tolist() == list(range(start, start + length))
        assert (parts.recordings[0].split, parts.recordings[0].part_samples) == (split, (start, length))
        for wrong in [(-1, 5), (length - 4, 5)]:
            with pytest.raises(IndexError):
                parts.read(0, *wrong)
