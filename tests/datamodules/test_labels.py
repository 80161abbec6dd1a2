"""What a MANIFEST.csv says of recordings, as numbers beside their windows."""

from pathlib import Path

import numpy as np

from datamodules.audio.folder import read_manifest
from datamodules.labels import label_numbers
from datamodules.sources import Recording


def recording(group: str, **labels: str) -> Recording:
    return Recording(f"{group}.wav", 1.0, "train", group, labels=tuple(labels.items()))


def test_values_are_numbered_in_order_and_a_group_stands_for_a_speaker() -> None:
    given = [
        recording("b", kind="speech", source="x"),
        recording("a", kind="music"),
        recording("c", speaker="Ann", kind="speech"),
    ]
    np.testing.assert_array_equal(label_numbers(given), [[1, 0, 2], [0, -1, 1], [1, -1, 0]])


def test_columns_of_a_manifest_are_read(tmp_path: Path) -> None:
    table = "file,kind,source_repo,speaker\na.wav,speech,corpus,p1\nb.wav,,,\n"
    (tmp_path / "MANIFEST.csv").write_text(table, encoding="utf-8")
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    rows = read_manifest(tmp_path / "MANIFEST.csv")
    assert [(row.kind, row.source, row.speaker) for row in rows] == [("speech", "corpus", "p1"), (None, None, None)]
