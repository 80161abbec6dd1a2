import logging
import os

import pytest

from datamodules.sources.folder import FolderSource


def splits_of(source):
    return {recording.path.rsplit("/", 1)[-1]: recording.split for recording in source.recordings()}


def test_finds_files_at_any_depth_in_a_fixed_order(tmp_path, write_noise):
    for name in ("b.wav", "sub/deep/a.flac", "a.ogg", "C.AIFF"):
        write_noise(tmp_path / name, subtype="VORBIS" if name.endswith("ogg") else "PCM_16")
    (tmp_path / "notes.txt").write_text("no audio", encoding="utf-8")
    (tmp_path / "._b.wav").write_text("resource fork", encoding="utf-8")
    recordings = FolderSource(str(tmp_path)).recordings()
    assert [recording.path for recording in recordings] == [
        str(tmp_path / name) for name in ("C.AIFF", "a.ogg", "b.wav", "sub/deep/a.flac")
    ]
    assert [recording.seconds for recording in recordings] == [1.0] * 4


def test_manifest_decides_split_and_group_of_its_folder(tmp_path, write_noise):
    for name in ("x.wav", "y.wav", "z.wav", "unlisted.wav"):
        write_noise(tmp_path / "set" / name)
    rows = "file,licence,split,group\nx.wav,CC0,train,piece 1\ny.wav,CC0,validation,piece 2\nz.wav,CC0,test,piece 3\n"
    (tmp_path / "set" / "MANIFEST.csv").write_text(rows, encoding="utf-8")
    source = FolderSource(str(tmp_path))
    assert splits_of(source) == {"x.wav": "train", "y.wav": "val", "z.wav": "test"}
    assert [recording.group for recording in source.recordings()] == ["piece 1", "piece 2", "piece 3"]


def test_manifest_without_splits_keeps_groups_together(tmp_path, write_noise):
    names = [f"{group}{take}.wav" for group in "abcdef" for take in (1, 2, 3)]
    for name in names:
        write_noise(tmp_path / name, 0.1)
    (tmp_path / "MANIFEST.csv").write_text("file,group\n" + "".join(f"{name},{name[0]}\n" for name in names), encoding="utf-8")
    splits = splits_of(FolderSource(str(tmp_path)))
    assert all(len({splits[f"{group}{take}.wav"] for take in (1, 2, 3)}) == 1 for group in "abcdef")
    assert set(splits.values()) == {"train", "val", "test"}


def test_albums_stay_together_where_there_are_several(tmp_path, write_noise):
    for album in "abcde":
        for track in "123":
            write_noise(tmp_path / album / f"{track}.wav", 0.1)
    recordings = FolderSource(str(tmp_path)).recordings()
    assert len({(recording.group, recording.split) for recording in recordings}) == 5
    assert {recording.split for recording in recordings} == {"train", "val", "test"}


def test_files_of_one_folder_are_split_one_by_one(tmp_path, write_noise):
    for number in range(6):
        write_noise(tmp_path / f"{number}.wav", 0.1)
    recordings = FolderSource(str(tmp_path)).recordings()
    assert len({recording.group for recording in recordings}) == 6
    assert {recording.split for recording in recordings} == {"train", "val", "test"}


def test_splits_do_not_depend_on_where_the_folder_lies(tmp_path, write_noise):
    for number in range(8):
        for place in ("here", "there"):
            write_noise(tmp_path / place / f"{number}.wav", 0.1)
    assert splits_of(FolderSource(str(tmp_path / "here"))) == splits_of(FolderSource(str(tmp_path / "there")))


def test_broken_files_are_named_once_skipped_and_counted(tmp_path, write_noise, broken_files, caplog):
    write_noise(tmp_path / "good.wav")
    broken = broken_files(tmp_path)
    with caplog.at_level(logging.WARNING):
        source = FolderSource(str(tmp_path))
        assert set(splits_of(source)) == {"good.wav"}
    assert len(source.skipped) == len(broken)
    for name in broken:
        assert sum(f"{name}: " in record.getMessage() for record in caplog.records) == 1


def test_a_missing_file_of_a_manifest_is_skipped(tmp_path, write_noise):
    write_noise(tmp_path / "here.wav")
    (tmp_path / "MANIFEST.csv").write_text("file,split\nhere.wav,train\ngone.wav,train\n", encoding="utf-8")
    source = FolderSource(str(tmp_path))
    assert set(splits_of(source)) == {"here.wav"}
    assert len(source.skipped) == 1
    assert "gone.wav: " in source.skipped[0]


def test_links_in_a_circle_end(tmp_path, write_noise):
    write_noise(tmp_path / "sub" / "a.wav")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    assert len(FolderSource(str(tmp_path)).recordings()) == 1


def test_missing_root_names_the_key(tmp_path):
    with pytest.raises(ValueError, match=r"data.root=.*gone is not a folder; set data.root or AUDIO_DATA_ROOT"):
        FolderSource(str(tmp_path / "gone")).recordings()


def test_empty_root_names_the_key(tmp_path):
    with pytest.raises(ValueError, match=r"data.root=.* holds no audio file; names must end in one of .*\.flac"):
        FolderSource(str(tmp_path)).recordings()


def test_manifest_without_files_is_refused(tmp_path, write_noise):
    write_noise(tmp_path / "a.wav")
    (tmp_path / "MANIFEST.csv").write_text("name,split\na.wav,train\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"MANIFEST.csv needs a column `file`"):
        FolderSource(str(tmp_path)).recordings()


def test_a_manifest_decides_the_files_that_it_lists_in_other_folders(tmp_path, write_noise):
    names = [f"{folder}/{number}.wav" for folder in "abcd" for number in range(3)]
    for name in [*names, "a/unlisted.wav"]:
        write_noise(tmp_path / name, 0.1)
    (tmp_path / "MANIFEST.csv").write_text("file,split\n" + "".join(f"{name},test\n" for name in names), encoding="utf-8")
    recordings = FolderSource(str(tmp_path)).recordings()
    splits = {recording.path.removeprefix(f"{tmp_path}/"): recording.split for recording in recordings}
    assert len(recordings) == 13
    assert {name: splits[name] for name in names} == dict.fromkeys(names, "test")
    assert "a/unlisted.wav" in splits


def test_the_nearest_manifest_decides(tmp_path, write_noise):
    write_noise(tmp_path / "sub" / "a.wav")
    (tmp_path / "MANIFEST.csv").write_text("file,split\nsub/a.wav,train\n", encoding="utf-8")
    (tmp_path / "sub" / "MANIFEST.csv").write_text("file,split\na.wav,test\n", encoding="utf-8")
    assert splits_of(FolderSource(str(tmp_path))) == {"a.wav": "test"}


@pytest.mark.parametrize("manifest", [None, "file,split\nlink2.wav,test\n"])
def test_links_to_one_file_are_one_recording(tmp_path, write_noise, manifest):
    real = write_noise(tmp_path / "elsewhere" / "real.wav")
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    for name in ("link0.wav", "sub/link1.wav", "sub/link2.wav"):
        (root / name).symlink_to(real)
    if manifest:
        (root / "sub" / "MANIFEST.csv").write_text(manifest, encoding="utf-8")
    assert list(splits_of(FolderSource(str(root)))) == ["link2.wav" if manifest else "link0.wav"]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are text")
def test_names_that_are_not_valid_text_are_split_like_others(tmp_path, write_noise):
    for number in range(6):
        os.rename(write_noise(tmp_path / f"{number}.wav", 0.1), os.fsencode(tmp_path) + b"/%d\xff.wav" % number)
    assert set(splits_of(FolderSource(str(tmp_path))).values()) == {"train", "val", "test"}


def test_unreadable_folders_are_counted(tmp_path, write_noise, monkeypatch):
    write_noise(tmp_path / "a.wav")
    (tmp_path / "forbidden").mkdir()
    original = os.scandir

    def scandir(path):
        if str(path).endswith("forbidden"):
            raise PermissionError(13, "Permission denied", str(path))
        return original(path)

    monkeypatch.setattr(os, "scandir", scandir)
    source = FolderSource(str(tmp_path))
    assert set(splits_of(source)) == {"a.wav"}
    assert source.skipped == [f"{tmp_path}/forbidden: permission denied"]


def test_pattern_chooses_files_by_name_and_keeps_their_splits(tmp_path, write_noise):
    for name in ("piano_a.wav", "piano_b.wav", "violin_a.wav", "set/piano_c.wav"):
        write_noise(tmp_path / name, 0.1)
    (tmp_path / "MANIFEST.csv").write_text(
        "file,split\npiano_a.wav,train\npiano_b.wav,test\nviolin_a.wav,train\n", encoding="utf-8"
    )
    source = FolderSource(str(tmp_path), pattern="piano_[ab]*")
    assert splits_of(source) == {"piano_a.wav": "train", "piano_b.wav": "test"}
    assert len(FolderSource(str(tmp_path), pattern="piano_*").recordings()) == 3


def test_pattern_that_matches_nothing_is_named(tmp_path, write_noise):
    write_noise(tmp_path / "a.wav", 0.1)
    with pytest.raises(ValueError, match=r"data.pattern=piano_\* matches none of the 1 audio files in data.root="):
        FolderSource(str(tmp_path), pattern="piano_*").recordings()


@pytest.mark.usefixtures("without_codecs")
def test_audio_that_is_not_read_is_counted_and_a_handful_is_named(tmp_path, write_noise, caplog):
    write_noise(tmp_path / "a.wav")
    for number in range(7):
        (tmp_path / f"{number}.m4a").write_bytes(b"ftypM4A")
    (tmp_path / "set").mkdir()
    write_noise(tmp_path / "set" / "listed.wav")
    (tmp_path / "set" / "MANIFEST.csv").write_text("file\nlisted.wav\n", encoding="utf-8")
    (tmp_path / "set" / "unlisted.wma").touch()
    source = FolderSource(str(tmp_path))
    assert len(source.recordings()) == 2
    assert [sentence.split(": ")[0] for sentence in source.skipped] == [str(tmp_path / f"{number}.m4a") for number in range(7)]
    told = [record.getMessage() for record in caplog.records if "not read" in record.getMessage()]
    assert len(told) == 6
    assert told[0] == f"skipped {source.skipped[0]}"
    assert told[5] == "skipped 2 more files of formats that are not read (2 .m4a)"


def test_pattern_chooses_among_what_is_not_read_too(tmp_path, write_noise):
    write_noise(tmp_path / "piano.wav")
    (tmp_path / "piano.wv").touch()
    (tmp_path / "organ.wv").touch()
    source = FolderSource(str(tmp_path), pattern="piano*")
    source.recordings()
    assert [sentence.split(": ")[0] for sentence in source.skipped] == [str(tmp_path / "piano.wv")]


@pytest.mark.usefixtures("without_codecs")
def test_folder_of_nothing_but_unread_formats_says_so(tmp_path):
    (tmp_path / "a.m4a").touch()
    with pytest.raises(ValueError, match=r"holds no audio file \(a.m4a is not read\); names must end in one of .*\.wav"):
        FolderSource(str(tmp_path)).recordings()


@pytest.mark.posix
def test_pipes_are_named_and_never_opened(tmp_path, write_noise):
    write_noise(tmp_path / "a.wav")
    os.mkfifo(tmp_path / "b.wav")
    source = FolderSource(str(tmp_path))
    assert len(source.recordings()) == 1
    assert source.skipped == [f"{tmp_path / 'b.wav'}: is not a regular file (a pipe, socket or device)"]
    os.mkfifo(tmp_path / "MANIFEST.csv")
    with pytest.raises(ValueError, match="MANIFEST.csv cannot be read: .*is not a regular file"):
        FolderSource(str(tmp_path)).recordings()
