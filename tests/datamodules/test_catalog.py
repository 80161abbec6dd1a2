from pathlib import Path

import numpy as np
import pytest

from datamodules.catalog import RecordingCatalog, build_catalog
from datamodules.needs import Needs
from datamodules.sources import Recording
from datamodules.splits import split_groups


class Source:
    place, limits_hz = "data.root=/data", {}

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
        return np.zeros((1, count))


def catalog(source, limits):
    return RecordingCatalog(source, Opened, limits, Needs(8000, 100, 100), allow_duplicates=True)


def names(opened):
    return {recording.path for recording in opened.recordings}


def test_splits_are_opened_apart_and_once():
    source = Source("train", "train", "val", "test")
    made = catalog(source, {})
    assert names(made.open("val")) == {"/data/2.wav"}
    assert made.open("val") is made.open("val")
    assert names(made.open("train")) == {"/data/1.wav"}
    assert source.listings == 1


def test_counts_cover_what_was_opened_and_what_was_not_usable():
    made = catalog(Source("train", "train", "train", "val"), {})
    made.open("train")
    assert made.counts() == {"train": {"recordings": 2, "hours": 1.0, "unreadable": 1}}
    assert made.skipped == ["/data/bad.wav: is an empty file", "/data/0.wav: is truncated"]


def test_a_smaller_choice_is_part_of_every_larger_one():
    source = Source(*["val", "test"], *["train"] * 20)
    chosen = [names(catalog(source, {"train": limit, "val": None}).open("train")) for limit in (1, 5, 20, 100)]
    assert [len(choice) for choice in chosen] == [1, 5, 20, 20]
    assert chosen[0] < chosen[1] < chosen[2] == chosen[3]
    assert chosen[1] != {f"/data/{number}.wav" for number in range(2, 7)}  # names that follow each other are often alike


def test_an_empty_split_is_named():
    with pytest.raises(
        ValueError, match=r"'test' is empty: none of the 2 usable recordings in data.root=/data belongs .*data.split=time"
    ):
        catalog(Source("train", "val"), {}).open("test")


def test_a_split_of_broken_files_is_named():
    with pytest.raises(ValueError, match=r"split 'train' is empty: 1 recordings are unreadable, e.g. /data/0.wav: is truncated"):
        catalog(Source("train", "val"), {}).open("train")


@pytest.mark.parametrize("limits", [{"train": 0}, {"validation": 3}])
def test_impossible_limits_are_refused(limits):
    with pytest.raises(ValueError, match=r"data.max_recordings\.(train=0|validation=3) is not possible"):
        catalog(Source("train"), limits)


def test_names_that_are_not_valid_text_can_be_chosen():
    class Latin(Source):
        def recordings(self):
            return [Recording(f"/data/caf\udce9{number}.wav", 1.0, "train", f"caf\udce9{number}") for number in range(3)]

    assert len(names(catalog(Latin(), {"train": 2}).open("train"))) == 2


class Folder(Source):
    """Recordings whose split the hash decides, as `FolderSource` lists them."""

    def __init__(self, *names):
        super().__init__()
        self._names = names

    def recordings(self):
        splits = split_groups(self._names)
        return [Recording(f"/data/{name}", 1800.0, splits[name], name, by_hash=True) for name in self._names]


class Partly(Opened):
    """Recordings of which those named in `bad` are of no use, each for the reason that its name says."""

    def __init__(self, recordings):
        self.recordings = [item for item in recordings if "broken" not in item.path]
        self.skipped = [f"{item.path}: is truncated" for item in recordings if "broken" in item.path]

    def len_samples(self, index):
        return 20 if "short" in self.recordings[index].path else 1000

    def read(self, index, start, count):
        if "silent" in self.recordings[index].path:
            return np.full((1, count), 0.5)
        return np.random.default_rng(start).standard_normal((1, count))


def partly(source, limits=None):
    return RecordingCatalog(source, Partly, limits or {}, Needs(8000, 100, 100, -60.0), allow_duplicates=True)


@pytest.mark.parametrize("flaw", ["short", "silent", "broken"])
def test_a_split_by_hash_is_not_left_to_what_cannot_be_used(flaw):
    names = next(names for start in range(1000) if is_alone(flaw, names := (f"{flaw}{start}", "a", "b", "c", "d")))
    catalogs = [partly(Folder(*names)) for _ in range(3)]
    whole = {split: names_of(catalogs[0].open(split)) for split in ("train", "val", "test")}
    assert set.union(*whole.values()) == {"/data/a", "/data/b", "/data/c", "/data/d"}
    assert all(whole.values())
    assert names_of(catalogs[1].open("test")) == whole["test"]
    assert names_of(catalogs[2].open("val")) == whole["val"]


def is_alone(flaw, names):
    splits = split_groups(names)
    return list(splits.values()).count(splits[names[0]]) == 1


def names_of(opened):
    return {recording.path for recording in opened.recordings}


def test_what_can_be_used_keeps_its_split_beside_what_cannot():
    usable = [f"{number}" for number in range(40)]
    before, after = Folder(*usable).recordings(), partly(Folder(*usable, *(f"short{number}" for number in range(10))))
    for split in ("train", "val", "test"):
        expected = {item.path for item in before if item.split == split}
        assert {path for path in names_of(after.open(split)) if "short" not in path} == expected


def test_a_limit_passes_over_what_cannot_be_used():
    source = Folder(*(f"silent{number}" for number in range(30)), *(f"{number}" for number in range(30)))
    assert all("silent" not in path for path in names_of(partly(source, {"train": 1}).open("train")))


def test_unreadable_recordings_are_counted_once():
    made = partly(Folder("broken1", "broken2", *(f"{number}" for number in range(20))))
    unreadable = sum(len(made.open(split).skipped) for split in ("train", "val", "test"))
    counted = sum(count["unreadable"] for count in made.counts().values())
    assert unreadable <= counted == 2
    assert sorted(made.skipped)[1:] == ["/data/broken1: is truncated", "/data/broken2: is truncated"]


def test_unknown_way_to_split_is_refused():
    with pytest.raises(ValueError, match="data.split='tiem' is unknown; known: recordings, time"):
        build_catalog("tiem", Source(), Opened, {}, Needs(8000, 1, 1), False)


def test_split_by_time_serves_one_recording_to_all_splits_without_overlap():
    made = build_catalog("time", Source("test"), Partly, {}, Needs(20, 100, 50), False)
    spans = [made.open(split).recordings[0].part_samples for split in ("train", "val", "test")]
    assert spans == [(0, 768), (788, 96), (904, 96)]


def test_split_by_time_refuses_what_is_too_short_with_its_length():
    made = build_catalog("time", Source("test"), Partly, {}, Needs(20, 100, 97), False)
    with pytest.raises(ValueError, match=r"data.split=time leaves split 'val' at most 4.80 s .* needs 4.85 s; .* gaps of 1 s"):
        made.open("val")


def test_where_nothing_can_be_used_the_cause_is_named():
    with pytest.raises(ValueError, match=r"'val' is empty: nothing in data.root=/data can be used, e.g. /data/.*: has 20 s"):
        partly(Folder("short0", "short1", "short2", "short3")).open("val")
