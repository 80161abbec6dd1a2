from pathlib import Path

import pytest

from datamodules.catalog import Catalog
from datamodules.sources import Recording


class Source:
    def __init__(self, *splits):
        self.root, self.skipped, self.listings = Path("/data"), ["/data/bad.wav: is an empty file"], 0
        self._splits = splits

    def recordings(self):
        self.listings += 1
        return [Recording(f"/data/{number}.wav", 1800.0, split, f"{number}") for number, split in enumerate(self._splits)]


class Opened:
    def __init__(self, recordings):
        self.recordings = [item for item in recordings if item.path != "/data/0.wav"]
        self.skipped = [f"{item.path}: is truncated" for item in recordings if item not in self.recordings]

    def len_samples(self, index):
        return 100

    def read(self, index, start, count):
        raise NotImplementedError


def names(opened):
    return {recording.path for recording in opened.recordings}


def test_splits_are_opened_apart_and_once():
    source = Source("train", "train", "val", "test")
    catalog = Catalog(source, Opened, {})
    assert names(catalog.open("val")) == {"/data/2.wav"}
    assert catalog.open("val") is catalog.open("val")
    assert names(catalog.open("train")) == {"/data/1.wav"}
    assert source.listings == 1


def test_counts_cover_what_was_opened_and_what_was_not_usable():
    catalog = Catalog(Source("train", "train", "train", "val"), Opened, {})
    catalog.open("train")
    assert catalog.counts() == {"train": {"recordings": 2, "hours": 1.0, "unreadable": 1}}
    assert catalog.skipped == ["/data/bad.wav: is an empty file", "/data/0.wav: is truncated"]


def test_a_smaller_choice_is_part_of_every_larger_one():
    source = Source(*["val", "test"], *["train"] * 20)
    chosen = [names(Catalog(source, Opened, {"train": limit, "val": None}).open("train")) for limit in (1, 5, 20, 100)]
    assert [len(choice) for choice in chosen] == [1, 5, 20, 20]
    assert chosen[0] < chosen[1] < chosen[2] == chosen[3]
    assert chosen[1] != {f"/data/{number}.wav" for number in range(2, 7)}  # names that follow each other are often alike


def test_an_empty_split_is_named():
    with pytest.raises(ValueError, match=r"split 'test' is empty: none of the 2 recordings in data.root=/data belongs to it"):
        Catalog(Source("train", "val"), Opened, {}).open("test")


def test_a_split_of_broken_files_is_named():
    with pytest.raises(ValueError, match=r"split 'train' is empty: 1 recordings are unreadable, e.g. /data/0.wav: is truncated"):
        Catalog(Source("train", "val"), Opened, {}).open("train")


@pytest.mark.parametrize("limits", [{"train": 0}, {"validation": 3}])
def test_impossible_limits_are_refused(limits):
    with pytest.raises(ValueError, match=r"data.max_recordings\.(train=0|validation=3) is not possible"):
        Catalog(Source("train"), Opened, limits)


def test_names_that_are_not_valid_text_can_be_chosen():
    class Latin(Source):
        def recordings(self):
            return [Recording(f"/data/caf\udce9{number}.wav", 1.0, "train", f"caf\udce9{number}") for number in range(3)]

    assert len(names(Catalog(Latin(), Opened, {"train": 2}).open("train"))) == 2
