"""A folder is scanned once: its audio files, and what its manifests say of them."""

from pathlib import Path

import pytest

from datamodules.audio.folder import ManifestRow, read_manifest, scan_folder, without_repetitions


def touch(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


@pytest.mark.usefixtures("without_codecs")
def test_audio_files_at_any_depth_and_nothing_hidden(tmp_path: Path) -> None:
    wanted = touch(tmp_path, "a/b/1.WAV", "c.flac")
    touch(tmp_path, "notes.txt", ".hidden.wav", "._c.flac", ".trash/d.wav", "._e.m4a")
    unread = touch(tmp_path, "a/e.M4A", "f.wv")
    found = scan_folder(tmp_path)
    assert found.files == tuple(sorted(wanted))
    assert found.unread == tuple(sorted(unread))
    assert (found.manifests, found.problems) == ({}, ())


def test_manifest_is_read_with_its_missing_columns_and_empty_cells(tmp_path: Path) -> None:
    (tmp_path / "MANIFEST.csv").write_text("file,split\na.wav,train\nsub/b.wav,\n", encoding="utf-8-sig")
    rows = read_manifest(tmp_path / "MANIFEST.csv")
    assert rows == (ManifestRow(tmp_path / "a.wav", "train", None), ManifestRow(tmp_path / "sub" / "b.wav", None, None))
    assert scan_folder(tmp_path).manifests == {tmp_path: rows}


@pytest.mark.parametrize("content", [b"name\na.wav\n", b"file,split\n,train\n", b"file\n\xff\xfe\n"])
def test_manifest_that_names_no_files_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "MANIFEST.csv").write_bytes(content)
    with pytest.raises(ValueError, match="MANIFEST.csv"):
        scan_folder(tmp_path)


def test_nearest_manifest_decides_and_there_the_first_row(tmp_path: Path) -> None:
    touch(tmp_path, "sub/a.wav", "b.wav")
    (tmp_path / "MANIFEST.csv").write_text("file,split\nsub/a.wav,train\nb.wav,val\nb.wav,test\n", encoding="utf-8")
    (tmp_path / "sub" / "MANIFEST.csv").write_text("file,split\na.wav,test\n", encoding="utf-8")
    assert {row.path.name: row.split for row in scan_folder(tmp_path).rows()} == {"a.wav": "test", "b.wav": "val"}


def test_links_count_as_the_file_they_lead_to(tmp_path: Path) -> None:
    first, second = touch(tmp_path, "a.wav", "b.wav")
    link = tmp_path / "link.wav"
    link.symlink_to(first)
    assert without_repetitions([link, first, second]) == [link, second]
    assert without_repetitions([first, second], known=[link]) == [second]
