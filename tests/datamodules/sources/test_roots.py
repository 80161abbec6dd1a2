"""Several folders at once: each file once, splits of each folder, windows by weight."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from datamodules.duplicates import keep_together
from datamodules.eval_windows import EvalRules, EvalWindows
from datamodules.sources import Recording
from datamodules.sources.folder import FolderSource
from datamodules.streamed_recordings import StreamedRecordings
from datamodules.windows import TrainWindows, WindowRules


def write(path: Path, seed: int, samples: int = 800) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(samples), 8000)


@pytest.fixture
def roots(tmp_path: Path) -> list[str]:
    """Write two folders of three files with a manifest each, whose groups have the same names but other splits."""
    for number, (name, splits) in enumerate((("a/music", "train,val,test"), ("b/music", "test,train,val"))):
        rows = ["file,split,group"]
        for place, split in enumerate(splits.split(",")):
            write(tmp_path / name / f"{place}.wav", 10 * number + place)
            rows.append(f"{place}.wav,{split},piece{place}")
        (tmp_path / name / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return [str(tmp_path / "a/music"), str(tmp_path / "b/music")]


def test_each_folder_has_its_own_splits_and_groups(roots: list[str]) -> None:
    listed = FolderSource(roots).recordings()
    assert [item.split for item in listed] == ["train", "val", "test", "test", "train", "val"]
    assert [item.group for item in listed] == [f"{label}/piece{n}" for label in ("music", "music-2") for n in range(3)]
    assert len({item.name for item in listed}) == 6


def test_one_folder_in_a_list_is_as_alone(roots: list[str]) -> None:
    assert FolderSource(roots[:1]).recordings() == FolderSource(roots[0]).recordings()


def test_evaluations_name_files_by_folder_wherever_it_lies(roots: list[str], tmp_path: Path) -> None:
    def files(given: list[str]) -> list[tuple[str, int]]:
        source = FolderSource(given)
        opened = StreamedRecordings([item for item in source.recordings() if item.split == "test"], 8000, 1)
        windows = EvalWindows(opened, source.root, "test", EvalRules(400, 200, 1), lambda clean, rate, draw: clean, 8000)
        return [(window["file"], window["seed"]) for window in windows.manifest()]

    before = files(roots)
    (tmp_path / "b").rename(tmp_path / "elsewhere")
    assert files([roots[0], str(tmp_path / "elsewhere/music")]) == before
    assert [name for name, _ in before] == ["music/2.wav", "music-2/0.wav"]


def test_folder_within_another_is_listed_once(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"x/{number}.wav", number), write(tmp_path / f"x/in/{number}.wav", 5 + number)
    listed = FolderSource([str(tmp_path / "x"), str(tmp_path / "x/in")]).recordings()
    assert len(listed) == len({item.path for item in listed}) == 6
    only_inner = FolderSource([str(tmp_path / "x/in"), str(tmp_path / "x")]).recordings()
    assert Counter(str(item.name).partition("/")[0] for item in only_inner) == {"in": 3, "x": 3}


def test_copies_in_two_folders_share_a_split(roots: list[str], caplog: pytest.LogCaptureFixture) -> None:
    write(Path(roots[1]) / "1.wav", 2)  # what is test in the first folder is train in the second
    kept = keep_together(FolderSource(roots).recordings())
    assert [item.name for item in kept if item.split == "train"] == ["music/0.wav"]
    assert caplog.messages[-1].startswith("1 of 6 recordings are copies of others")


@pytest.mark.parametrize("bad", ["missing", "empty"])
def test_folder_that_cannot_be_used_is_named_alone(roots: list[str], tmp_path: Path, bad: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=rf"^data\.root={tmp_path / bad} (is not a folder|holds no audio file)"):
        FolderSource([*roots, str(tmp_path / bad)]).recordings()


def test_number_of_weights_is_that_of_folders(roots: list[str]) -> None:
    with pytest.raises(ValueError, match=r"data\.root names 2 folders and data\.root_weights=\[1\.0\]: give one weight for each"):
        FolderSource(roots, root_weights=[1.0])


class Constant:
    """Recordings whose samples say which they are."""

    skipped: tuple[str, ...] = ()

    def __init__(self, *parts: tuple[int, tuple[str, float] | None]) -> None:
        self.lengths = [length for length, _ in parts]
        self.recordings = [Recording(str(n), 1.0, "train", str(n), share=share) for n, (_, share) in enumerate(parts)]

    def len_samples(self, index: int) -> int:
        return self.lengths[index]

    def read(self, index: int, start: int, count: int) -> np.ndarray:
        return np.full((1, count), index, np.float32)


def drawn(recordings: Constant, count: int = 4000) -> list[float]:
    windows = TrainWindows(recordings, WindowRules(100), 0)
    generator = torch.Generator().manual_seed(0)
    counts = Counter(windows.locate(generator)[0] for _ in range(count))
    return [counts[index] / count for index in range(len(recordings.lengths))]


def test_windows_come_by_weight_and_within_a_folder_by_length() -> None:
    one, other = ("a", 2.0), ("b", 1.0)
    shares = drawn(Constant((199, one), (399, one), (100_099, other), (50, other)))
    assert shares == pytest.approx([2 / 3 * 100 / 400, 2 / 3 * 300 / 400, 1 / 3, 0.0], abs=0.03)


def test_offsets_of_weighted_windows_are_within_the_recording() -> None:
    windows = TrainWindows(Constant((103, ("a", 1.0)), (100, ("b", 1.0))), WindowRules(100), 0)
    generator = torch.Generator().manual_seed(0)
    assert {windows.locate(generator) for _ in range(200)} == {(0, 0), (0, 1), (0, 2), (0, 3), (1, 0)}


def test_folder_without_a_long_enough_file_takes_no_windows() -> None:
    assert drawn(Constant((50, ("a", 9.0)), (200, ("b", 1.0))), 50) == [0.0, 1.0]


LICENSES = (
    "cc0",
    "CC-BY",
    "cc-by-nc",
    "cc-by-nd",
    "cc-by-sa",
    "cc-by-nc-sa",
    "public-domain",
    "mit",
    "apache-2.0",
    "unknown",
    "",
)
FREE = ["cc0", "cc-by", "public-domain", "apache-2.0", "mit"]


@pytest.fixture
def licensed(tmp_path: Path) -> Path:
    rows = ["file,license_id"]
    for number, license_id in enumerate(LICENSES):
        write(tmp_path / "l" / f"{number}.wav", number)
        rows.append(f"{number}.wav,{license_id}")
    (tmp_path / "l" / "MANIFEST.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    write(tmp_path / "l" / "unlisted" / "x.wav", 99)
    return tmp_path / "l"


def test_no_recording_without_one_of_the_licenses_passes(licensed: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        listed = FolderSource(str(licensed), license_ids=FREE).recordings()
    assert {LICENSES[int(Path(item.path).stem)].lower() for item in listed} == set(FREE)
    (line,) = [line for line in caplog.messages if "license" in line]
    assert line.startswith("left out 7 of 12 recordings by data.license_ids=[cc0,cc-by,public-domain,apache-2.0,mit]")
    assert line.endswith("license_id is 1 cc-by-nc, 1 cc-by-nc-sa, 1 cc-by-nd, 1 cc-by-sa, 2 none stated, 1 unknown")


def test_unknown_is_no_license_even_where_it_is_asked_for(licensed: Path) -> None:
    with pytest.raises(ValueError, match=r"data\.license_ids=\[unknown\] leaves nothing of data\.root="):
        FolderSource(str(licensed), license_ids=["unknown"]).recordings()


def test_without_license_ids_everything_is_listed(licensed: Path) -> None:
    assert len(FolderSource(str(licensed)).recordings()) == 12
