"""An array file is read as it was written, or not at all."""

import os
import struct

import numpy as np
import pytest

from datamodules.array_file import BLOCK_BYTES, ArrayFile, ArrayWriter, DamagedArrayError, Place, reseal
from datamodules.identity import Identity
from machine.parts import close_parts

SOURCE = Identity(7, b"s" * 16, b"d" * 16)
LENGTH = 3 * BLOCK_BYTES // 4 + 17  # Of two channels of int16: three blocks and a part.


@pytest.fixture
def samples():
    return np.random.default_rng(0).integers(-3000, 3000, (LENGTH, 2), np.int16)


@pytest.fixture
def path(tmp_path, samples):
    with open(tmp_path / "a.npy", "wb") as stream:
        writer = ArrayWriter(stream, 2, "int16")
        for part in np.split(samples, [1, 5000, 40_000]):
            writer.append(part)
        writer.finish(SOURCE)
    return tmp_path / "a.npy"


def opened_at(path):
    close_parts()
    return ArrayFile(Place(path, 0, path.stat().st_size))


def flip(path, offset):
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_every_part_is_read_as_it_was_written(path, samples):
    opened = opened_at(path)
    assert opened.source == SOURCE
    for start, count in [(0, LENGTH), (0, 1), (LENGTH - 1, 1), (16_383, 2), (100, 0)]:
        np.testing.assert_array_equal(opened.frames(start, count), samples[start : start + count])
    np.testing.assert_array_equal(np.load(path), samples)


def test_an_empty_array_is_read(tmp_path):
    with open(tmp_path / "empty.npy", "wb") as stream:
        ArrayWriter(stream, 1, "float32").finish(SOURCE)
    assert opened_at(tmp_path / "empty.npy").frames(0, 0).shape == (0, 1)


def test_a_flipped_bit_is_found_when_its_block_is_read(path):
    flip(path, path.stat().st_size // 2)
    opened = opened_at(path)
    opened.frames(0, 100)
    opened.frames(LENGTH - 100, 100)
    with pytest.raises(DamagedArrayError, match="has changed in the 65536 bytes of block"):
        opened.frames(0, LENGTH)


def test_a_flipped_bit_anywhere_else_is_found_on_opening(path, samples):
    whole = path.read_bytes()
    behind = range(len(whole) - 76, len(whole))
    for offset in (*range(128), *behind):
        path.write_bytes(whole)
        flip(path, offset)
        with pytest.raises(DamagedArrayError):
            opened_at(path).frames(0, LENGTH)


@pytest.mark.parametrize("change", [lambda all: b"", lambda all: all[:50], lambda all: all[:-1], lambda all: all[:-4096]])
def test_another_length_is_found_on_opening(path, change):
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DamagedArrayError):
        opened_at(path)


def test_a_seal_that_claims_terabytes_costs_nothing(path):
    content = bytearray(path.read_bytes())
    content[-64:-56] = struct.pack("<Q", 2**60)
    path.write_bytes(content)
    with pytest.raises(DamagedArrayError):
        opened_at(path)


def test_a_plain_numpy_file_is_not_trusted(tmp_path):
    np.save(tmp_path / "old.npy", np.zeros((1000, 1), np.int16))
    with pytest.raises(DamagedArrayError, match="has no checksums"):
        opened_at(tmp_path / "old.npy")


def test_a_new_seal_changes_nothing_else(path, samples):
    os.utime(path, ns=(10**18, 10**18))
    reseal(Place(path, 0, path.stat().st_size), Identity(9, SOURCE.sample, SOURCE.digest))
    opened = opened_at(path)
    assert opened.source.changed_ns == 9
    assert path.stat().st_mtime_ns == 10**18
    np.testing.assert_array_equal(opened.frames(0, LENGTH), samples)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="asks Linux for the memory that is held")
def test_reading_holds_no_memory(tmp_path):
    blocks, samples = 32, 1 << 19
    with open(tmp_path / "long.npy", "wb") as stream:
        writer = ArrayWriter(stream, 1, "int16")
        for number in range(blocks):
            writer.append(np.full((samples, 1), number, np.int16))
        writer.finish(SOURCE)
    opened = opened_at(tmp_path / "long.npy")
    before = held_bytes()
    for start in range(0, blocks * samples, 16_384):
        assert opened.frames(start, 16_384)[0, 0] == start // samples
    assert held_bytes() - before < 8 * 2**20  # of 32 MiB that were read


def held_bytes():
    with open("/proc/self/statm", encoding="ascii") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
