"""A shard is read as it was written, or not at all."""

import numpy as np
import pytest

from datamodules.array_file import ArrayFile, ArrayWriter, DamagedArrayError
from datamodules.identity import Identity
from datamodules.shard_file import ShardWriter, read_directory

SOURCE = Identity(7, b"s" * 16, b"d" * 16)
KEYS = [f"{number:040x}" for number in range(3)]


def write(stream, number):
    writer = ArrayWriter(stream, 1, "int16")
    writer.append(np.full((1000 * (number + 1), 1), number, np.int16))
    writer.finish(SOURCE)


@pytest.fixture
def path(tmp_path):
    with open(tmp_path / "a.shard", "wb") as stream:
        shard = ShardWriter(stream)
        for number, key in enumerate(KEYS):
            with shard.entry(key) as place:
                write(place, number)
        shard.finish()
    return tmp_path / "a.shard"


def test_every_array_is_found_by_its_key(path):
    places = read_directory(path)
    assert list(places) == KEYS
    for number, place in enumerate(places.values()):
        assert ArrayFile(place).frames(999, 1).tolist() == [[number]]
        assert ArrayFile(place).shape == (1000 * (number + 1), 1)


def test_what_was_written_of_an_array_that_fails_is_taken_back(path, tmp_path):
    with open(tmp_path / "b.shard", "wb") as stream:
        shard = ShardWriter(stream)
        for number, key in enumerate(KEYS):
            try:
                with shard.entry(key) as place:
                    if number == 1:
                        place.write(bytes(1000))
                        raise KeyError
                    write(place, number)
            except KeyError:
                continue
        shard.finish()
    places = read_directory(tmp_path / "b.shard")
    assert list(places) == [KEYS[0], KEYS[2]]
    assert places[KEYS[0]].end == places[KEYS[2]].start
    assert ArrayFile(places[KEYS[2]]).frames(0, 1).tolist() == [[2]]


@pytest.mark.parametrize("change", [lambda all: b"", lambda all: all[:50], lambda all: all[:-1], lambda all: all + b"0"])
def test_another_length_is_found(path, change):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DamagedArrayError):
        read_directory(path)


def test_a_flipped_bit_in_the_directory_is_found(path):
    whole = path.read_bytes()
    for back in range(1, 24 + 3 * 36 + 1):
        content = bytearray(whole)
        content[-back] ^= 1
        path.write_bytes(content)
        with pytest.raises(DamagedArrayError):
            read_directory(path)
