"""A source knows its folder before anything is read, and has to be able to list recordings."""

from pathlib import Path

import pytest

from datamodules.sources import Source
from datamodules.sources.folder import FolderSource
from datamodules.sources.maestro import MaestroSource
from datamodules.sources.synthetic import SyntheticSource


def test_folder_is_absolute_and_nothing_is_skipped_before_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    sources: list[Source] = [FolderSource("~/music"), MaestroSource("~/music")]
    assert [(source.root, source.skipped) for source in sources] == [(Path("/home/ada/music"), [])] * 2
    synthetic = SyntheticSource("~/music", 8000)
    assert synthetic.root.parent == Path("/home/ada/music/synthetic")
    assert synthetic.skipped == []


def test_a_class_that_lists_nothing_is_not_built() -> None:
    class Idle(Source):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Idle("/data")  # type: ignore[abstract]
