"""The list of the recordings behind the tables is complete, and a folder is rebuilt from it."""

import csv
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmarks.rebuild_recordings import LIST, main
from datamodules.sources.folder import FolderSource

with open(LIST, newline="", encoding="utf-8") as stream:
    ROWS = list(csv.DictReader(stream))
RESULTS = [row for row in ROWS if row["page"] == "results"]
RATE_HZ = 8000


def test_every_recording_can_be_found_and_may_be_used() -> None:
    commit = re.compile(r"[0-9a-f]{40}( and [0-9a-f]{40})?")
    for row in ROWS:
        assert all(row[column] for column in row if column not in ("start_s", "changes")), row["file"]
        assert commit.fullmatch(row["commit"]), row["file"]
        assert row["commit"].count(" and ") == row["repository"].count(" and ") == row["path"].count(" and "), row["file"]
        assert (row["kind"] == "rendered_from_recorded_samples") == row["changes"].startswith("rendered"), row["file"]
    assert len({row["file"] for row in ROWS}) == len({row["sha256"] for row in ROWS}) == len(ROWS)


def test_no_group_is_in_two_splits() -> None:
    assert {row["split"] for row in ROWS} == {"train", "val", "test"}
    assert max(Counter(group for group, _ in {(row["group"], row["split"]) for row in ROWS}).values()) == 1


def test_counts_of_the_page_are_those_of_the_list() -> None:
    rendered = [row for row in RESULTS if row["kind"] == "rendered_from_recorded_samples"]
    assert (len(RESULTS), len(rendered)) == (47, 17)
    assert round(sum(float(row["seconds"]) for row in RESULTS) / 60) == 28
    assert Counter(row["split"] for row in rendered) == {"train": 10, "val": 3, "test": 4}


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Write a list of two recordings and a rendered one, and the checkout of the two."""
    checkout = tmp_path / "checkouts" / "owner" / "music"
    checkout.mkdir(parents=True)
    for number in (1, 2):
        both = np.stack([np.arange(3 * RATE_HZ), np.full(3 * RATE_HZ, 100 * number)], axis=1).astype(np.int16)
        soundfile.write(checkout / f"{number}.wav", both, RATE_HZ)
    shared = dict.fromkeys(ROWS[0], "") | {"page": "results", "repository": "owner/music", "commit": "c0ffee"}
    shared |= {"sample_rate_hz": str(RATE_HZ), "kind": "real_recording", "sha256": "0", "changes": "cut"}
    rows = [
        shared
        | {"file": "a.flac", "path": "1.wav", "channels": "2", "start_s": "1", "seconds": "1.5", "split": "train", "group": "a"},
        shared | {"file": "b.flac", "path": "2.wav", "channels": "1", "seconds": "2.0", "split": "test", "group": "b"},
        shared | {"file": "c.flac", "kind": "rendered_from_recorded_samples"},
        shared | {"file": "d.flac", "page": "restoring"},
    ]
    with open(tmp_path / "list.csv", "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(shared))
        writer.writeheader()
        writer.writerows(rows)
    return tmp_path


def test_folder_is_rebuilt_with_its_splits(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = listed / "music"
    assert main([str(listed / "checkouts"), "-o", str(folder), "--list", str(listed / "list.csv")]) == 0
    stereo, _ = soundfile.read(folder / "a.flac", dtype="int16")
    mono, _ = soundfile.read(folder / "b.flac", dtype="int16")
    assert (stereo.shape, tuple(stereo[0])) == ((1.5 * RATE_HZ, 2), (RATE_HZ, 100))
    assert (mono.shape, mono[0], mono[400]) == ((2 * RATE_HZ,), 100, 300)
    found = FolderSource(str(folder)).recordings()
    assert [(recording.split, recording.group) for recording in found] == [("train", "a"), ("test", "b")]
    assert "1 rendered pieces are left out" in capsys.readouterr().out


def test_missing_repository_is_named_with_the_command_that_fetches_it(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(listed / "nowhere"), "-o", str(listed / "music"), "--list", str(listed / "list.csv")]) == 1
    told = capsys.readouterr().err
    assert told.count("git clone https://github.com/owner/music") == 1
    assert "checkout c0ffee" in told
    assert not (listed / "music").exists()


def test_file_of_another_commit_is_named_and_left_out(listed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    soundfile.write(listed / "checkouts" / "owner" / "music" / "1.wav", np.zeros(9000), 9000)
    assert main([str(listed / "checkouts"), "-o", str(listed / "music"), "--list", str(listed / "list.csv")]) == 1
    assert "1.wav has 9000 Hz, not 8000: is this commit c0ffee?" in capsys.readouterr().err
    assert [Path(recording.path).name for recording in FolderSource(str(listed / "music")).recordings()] == ["b.flac"]
