"""Headers of many files: what is read, and that each broken file is named once."""

import logging
import os
from pathlib import Path

import pytest

from datamodules.audio.io import AudioFileError, AudioInfo
from datamodules.audio.probing import absolute, probe_all, readable_files


def test_files_are_probed_in_order_and_broken_ones_named_once(tmp_path, write_noise, caplog: pytest.LogCaptureFixture) -> None:
    paths = [write_noise(tmp_path / "b.wav", 0.5), tmp_path / "missing.wav", write_noise(tmp_path / "a.wav", 1.5)]
    with caplog.at_level(logging.WARNING):
        results = probe_all(paths)
    assert [type(result) for result in results] == [AudioInfo, AudioFileError, AudioInfo]
    assert [record.getMessage().count("missing.wav") for record in caplog.records] == [1]


def test_readable_files_come_with_their_durations(tmp_path, write_noise, broken_files) -> None:
    good = write_noise(tmp_path / "good.wav", 0.5)
    names = broken_files(tmp_path / "broken")
    durations, problems = readable_files([good, *sorted((tmp_path / "broken").iterdir())])
    assert durations == {good: 0.5}
    assert {Path(problem.split(": ")[0]).name for problem in problems} == names


def test_absolute_path_keeps_links_and_expands_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    assert absolute("link/../link/a.wav") == absolute("~/link/a.wav") == tmp_path / "link" / "a.wav"
