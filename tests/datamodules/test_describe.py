import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.describe import Described, describe


class Noise:
    def __init__(self, snr_db):
        self._snr_db = snr_db


@dataclass(frozen=True)
class Chain:
    steps: tuple


def test_equal_settings_read_the_same():
    assert describe(Chain((Noise([0, 20]), Noise(5)))) == describe(Chain((Noise((0, 20)), Noise(5))))
    assert describe(Chain((Noise(5),))) == "Chain(steps=[Noise(_snr_db=5)])"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Noise(5), Noise(6)),
        (Noise(5), Chain(5)),
        (Noise([1, 2]), Noise([2, 1])),
        (torch.zeros(3), torch.zeros(4)),
        (np.zeros(5000), np.eye(5000)[2500]),
        (np.zeros(2), np.zeros(2, np.float32)),
        ("1", 1),
        (functools.partial(max, 1), functools.partial(max, 2)),
    ],
)
def test_different_settings_read_differently(one, other):
    assert describe(one) != describe(other)


def test_no_memory_address_and_no_random_order():
    value = {"f": np.sin, "partial": functools.partial(Noise, snr_db=3), "set": {"b", "a"}, "path": Path("x/y")}
    text = describe(value)
    assert "0x" not in text
    assert "{'a', 'b'}" in text
    assert text == describe(dict(reversed(value.items())))


def test_files_read_the_same_wherever_their_folder_lies():
    assert describe(Path("/here/noise/rain.flac")) == describe(Path("/there/rain.flac")) == "'rain.flac'"


def test_what_was_found_unusable_is_no_setting():
    class Recorded:
        def __init__(self, skipped):
            self.files, self.skipped = ("a.wav",), skipped

    assert (
        describe(Recorded([]))
        == describe(Recorded(["/here/b.wav: is silent"]))
        == "test_what_was_found_unusable_is_no_setting.<locals>.Recorded(files=['a.wav'])"
    )


class Remembering:
    def __init__(self, level):
        self.level, self.last = level, None


class Itself:
    def __init__(self):
        self.itself = self


class Written:
    """As objects of other languages are: without a dictionary of attributes."""

    __slots__ = ("_drive_db",)

    def __init__(self, drive_db):
        self._drive_db = drive_db

    @property
    def drive_db(self):
        return self._drive_db


def test_other_peoples_objects_are_what_they_were_made_with():
    described = Described(Remembering(3))
    described.value.last = 7
    assert describe(described) == describe(Described(Remembering(3))) != describe(Described(Remembering(4)))
    assert describe(Described(Itself())) == "Itself"


def test_objects_without_attributes_are_told_by_their_properties():
    assert describe(Written(20)) == "Written(drive_db=20)"


def test_modules_are_told_with_their_weights():
    assert describe(torch.nn.Linear(2, 2)) != describe(torch.nn.Linear(2, 2))
