"""A part of a recording is the samples that its seconds stand for, and what is not there is told."""

from pathlib import Path

import numpy as np
import pytest

from datamodules.audio.info import AudioInfo
from datamodules.audio.io import AudioFileError, write
from datamodules.audio.part import Part, cut
from datamodules.audio.stream import read_blocks

SOURCE = AudioInfo(Path("a.wav"), 1000, 1, 10_500, "WAV", "PCM_16")


@pytest.mark.parametrize(
    ("part", "samples"),
    [
        (Part(), range(10_500)),
        (Part(2.5), range(2500, 10_500)),
        (Part(0, 1.2344), range(1234)),
        (Part(8, 2.5), range(8000, 10_500)),
    ],
)
def test_seconds_become_samples(part: Part, samples: range) -> None:
    assert part.of(SOURCE) == samples


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (Part(10.5), r"a\.wav has nothing at --start 10.5: it lasts 10.5 s"),
        (Part(8, 3), r"a\.wav ends before --start 8 --seconds 3: it lasts 10.5 s; leave out --seconds to go to its end"),
        (Part(8, 0.0001), r"a\.wav has no sample in --seconds 0.0001 at 1000 Hz"),
    ],
)
def test_what_is_not_there_is_told(part: Part, told: str) -> None:
    with pytest.raises(AudioFileError, match=told.replace(" has", ".*has").replace(" ends", ".*ends")):
        part.of(SOURCE)


@pytest.mark.parametrize(("start", "count"), [(0, 10), (3, 4), (4, 1), (9, None), (0, None), (8, 100)])
def test_cut_takes_the_part_out_of_blocks_of_any_size(start: int, count: int | None) -> None:
    signal = np.arange(10.0)[None]
    blocks = [signal[:, :4], signal[:, 4:4], signal[:, 4:9], signal[:, 9:]]
    end = None if count is None else start + count
    np.testing.assert_array_equal(np.concatenate(list(cut(blocks, start, count)), axis=1), signal[:, start:end])


def test_cut_asks_for_no_more_than_it_needs() -> None:
    asked = []

    def blocks():
        for number in range(100):
            asked.append(number)
            yield np.zeros((1, 10))

    assert sum(block.shape[1] for block in cut(blocks(), 15, 10)) == 10
    assert asked == [0, 1, 2]


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_reading_begins_where_asked(tmp_path: Path, name: str) -> None:
    audio = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 5000))
    write(tmp_path / name, audio, 8000, subtype="PCM_16")
    whole, late = (np.concatenate(list(read_blocks(tmp_path / name, 700, start)), axis=1) for start in (0, 1234))
    np.testing.assert_array_equal(late, whole[:, 1234:])
