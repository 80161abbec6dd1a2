"""Planning: every file once, every result in a place of its own, and no input in danger."""

from pathlib import Path

import numpy as np
import pytest

from datamodules.audio.io import write
from datamodules.audio.tree import plan_jobs


def make(*paths: Path) -> None:
    for path in paths:
        write(path, np.zeros((1, 800)), 8000)


def planned(inputs: list[Path], output: Path) -> dict[str, str]:
    jobs, skipped = plan_jobs(inputs, output)
    assert skipped == []
    return {str(job.source.path): str(job.output.relative_to(output)) for job in jobs}


def test_file_goes_into_the_output_folder(tmp_path: Path) -> None:
    make(tmp_path / "in" / "a = b, c.wav")
    assert list(planned([tmp_path / "in" / "a = b, c.wav"], tmp_path / "out").values()) == ["a = b, c.wav"]


def test_tree_of_a_folder_is_mirrored(tmp_path: Path) -> None:
    make(tmp_path / "in" / "x" / "a.wav", tmp_path / "in" / "b.flac", tmp_path / "in" / "x" / "y" / "ü.WAV")
    (tmp_path / "in" / "notes.txt").write_text("not searched for", encoding="utf-8")
    assert sorted(planned([tmp_path / "in"], tmp_path / "out").values()) == ["b.flac", "x/a.wav", "x/y/ü.WAV"]


def test_equal_names_from_different_folders_do_not_meet(tmp_path: Path) -> None:
    make(tmp_path / "one" / "a.wav", tmp_path / "two" / "a.wav")
    assert sorted(planned([tmp_path / "one", tmp_path / "two"], tmp_path / "out").values()) == ["a.wav", "two/a.wav"]
    files = [tmp_path / "one" / "a.wav", tmp_path / "two" / "a.wav"]
    assert sorted(planned(files, tmp_path / "out").values()) == ["a.wav", "two/a.wav"]


def test_third_file_of_one_name_is_skipped_rather_than_lost(tmp_path: Path) -> None:
    files = [tmp_path / name / "same" / "a.wav" for name in ("one", "two", "three")]
    make(*files)
    jobs, skipped = plan_jobs(files, tmp_path / "out")
    assert len(jobs) == 2
    assert [error.path for error in skipped] == [files[2]]
    assert "is taken by another input" in str(skipped[0])


def test_file_named_twice_is_taken_once(tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.wav")
    assert len(planned([tmp_path / "in", tmp_path / "in" / "a.wav", tmp_path / "in" / ".." / "in"], tmp_path / "out")) == 1


def test_result_never_overwrites_an_input(tmp_path: Path) -> None:
    make(tmp_path / "a.wav")
    jobs, skipped = plan_jobs([tmp_path], tmp_path)
    assert jobs == []
    assert "would overwrite the input" in str(skipped[0])


def test_output_folder_within_an_input_is_not_searched(tmp_path: Path) -> None:
    make(tmp_path / "a.wav", tmp_path / "out" / "a.wav")
    assert list(planned([tmp_path], tmp_path / "out").values()) == ["a.wav"]


def test_what_cannot_be_used_is_named(tmp_path: Path) -> None:
    make(tmp_path / "good.wav")
    (tmp_path / "empty.wav").touch()
    (tmp_path / "folder").mkdir()
    names = ["good.wav", "empty.wav", "missing.wav", "folder"]
    jobs, skipped = plan_jobs([tmp_path / name for name in names], tmp_path / "out")
    assert [job.source.path.name for job in jobs] == ["good.wav"]
    assert sorted(error.path.name for error in skipped) == ["empty.wav", "folder", "missing.wav"]
    assert jobs[0].seconds == pytest.approx(0.1)


def test_links_to_folders_are_followed_once_and_hidden_files_left_out(tmp_path: Path) -> None:
    make(tmp_path / "elsewhere" / "a.wav", tmp_path / "in" / "b.wav", tmp_path / "in" / ".trash" / "c.wav")
    (tmp_path / "in" / "._b.wav").write_bytes(b"macOS")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "in")
    assert sorted(planned([tmp_path / "in"], tmp_path / "out").values()) == ["b.wav", "linked/a.wav"]
