"""Folders are gone through once each, whatever links lead to them, and what is hidden is left out."""

from pathlib import Path

from datamodules.audio.walking import walk


def refuse(error: OSError) -> None:
    raise error


def test_folders_come_in_order_without_what_is_hidden_or_left_out(tmp_path: Path) -> None:
    for name in ("b/two.wav", "b/one.wav", "b/._one.wav", "a/three.wav", ".hidden/four.wav", "out/five.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = list(walk(tmp_path, refuse, lambda folder: folder.name == "out"))
    assert found == [(tmp_path, []), (tmp_path / "a", ["three.wav"]), (tmp_path / "b", ["one.wav", "two.wav"])]


def test_links_are_followed_once_and_never_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "one.wav").touch()
    (tmp_path / "music" / "back").symlink_to(tmp_path)
    (tmp_path / "same").symlink_to(tmp_path / "music")
    assert [folder for folder, _ in walk(tmp_path, refuse)] == [tmp_path, tmp_path / "music"]


def test_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    told: list[OSError] = []
    assert list(walk(tmp_path / "nowhere", told.append)) == []
    assert [error.filename for error in told] == [str(tmp_path / "nowhere")]
