"""What is known of a file is taken over while it is the same file, and of no other."""

import concurrent.futures
import logging
import os
import pickle
import sys

import pytest

from datamodules.audio import file_facts
from datamodules.audio.file_facts import NO_FACTS, FileFacts


@pytest.fixture
def audio(tmp_path, monkeypatch):
    """Return a file that counts as if it had not been changed for long."""
    monkeypatch.setattr(file_facts, "_SETTLED_NS", -(10**9))
    (tmp_path / "a.wav").write_bytes(b"before")
    return tmp_path / "a.wav"


@pytest.fixture
def index(tmp_path):
    return tmp_path / "cache" / "files" / "index.json"


def remember(index, path, kind="header", value=1):
    facts = FileFacts(index)
    facts.look(path).remember(kind, value)
    facts.keep()


def recalled(index, path, kind="header"):
    return FileFacts(index).look(path).recall(kind)


@pytest.mark.posix
def test_facts_come_back_in_the_next_process(audio, index):
    remember(index, audio, value=[16000, 1, 160_000, "WAV", "PCM_16", ""])
    remember(index, audio, "content", "abc")
    assert recalled(index, audio) == [16000, 1, 160_000, "WAV", "PCM_16", ""]
    assert recalled(index, audio, "content") == "abc" and recalled(index, audio, "samples") is None


@pytest.mark.posix
def test_relative_paths_mean_the_same_file(audio, index, monkeypatch):
    remember(index, audio)
    monkeypatch.chdir(audio.parent)
    assert recalled(index, "a.wav") == 1


@pytest.mark.posix
@pytest.mark.parametrize("content", [b"longer than before", b"beside"])
def test_a_changed_file_is_noticed_also_with_equal_size_and_time_of_modification(audio, index, content):
    before = os.stat(audio)
    remember(index, audio)
    audio.write_bytes(content)
    os.utime(audio, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert recalled(index, audio) is None


@pytest.mark.posix
def test_facts_of_a_changed_file_do_not_stay_beside_new_ones(audio, index):
    remember(index, audio, "samples", "old")
    audio.write_bytes(b"after it")
    remember(index, audio, "header", 2)
    assert recalled(index, audio) == 2 and recalled(index, audio, "samples") is None


@pytest.mark.posix
def test_what_was_changed_while_it_was_read_is_not_known(audio, index):
    facts = FileFacts(index)
    seen = facts.look(audio)
    audio.write_bytes(b"meanwhile")
    seen.remember("header", 1)
    facts.keep()
    assert recalled(index, audio) is None


def test_a_file_that_has_just_changed_is_not_remembered(audio, index, monkeypatch):
    monkeypatch.setattr(file_facts, "_SETTLED_NS", 3600 * 10**9)
    remember(index, audio)
    assert not index.exists()


@pytest.mark.posix
@pytest.mark.parametrize(
    "damage",
    [
        lambda index: index.write_bytes(index.read_bytes()[:-3]),
        lambda index: index.write_bytes(index.read_bytes().replace(b'"header": 1', b'"header": 2')),
        lambda index: index.write_bytes(b"\xff\xfe"),
        lambda index: index.write_bytes(b""),
        lambda index: (index.unlink(), os.mkfifo(index)),
    ],
)
def test_a_damaged_index_is_made_anew(audio, index, damage, caplog):
    remember(index, audio)
    damage(index)
    with caplog.at_level(logging.INFO):
        assert recalled(index, audio) is None
    remember(index, audio, value=3)
    assert recalled(index, audio) == 3


@pytest.mark.posix
def test_other_readers_read_everything_again(audio, index, monkeypatch, caplog):
    remember(index, audio)
    with monkeypatch.context() as patch, caplog.at_level(logging.INFO):
        patch.setattr(file_facts, "codecs_are_installed", lambda: "another")
        assert recalled(index, audio) is None
        assert f"{index} is damaged or of another version; the files of its data set are read again" in caplog.messages
    assert recalled(index, audio) == 1


@pytest.mark.posix
def test_writers_at_the_same_time_leave_an_index_that_can_be_read(audio, index):
    others = [audio.with_name(f"{number}.wav") for number in range(8)]
    for other in others:
        other.write_bytes(b"other")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda other: remember(index, other), others * 5))
    assert any(recalled(index, other) == 1 for other in others)
    for other in others:
        remember(index, other)  # One after the other, none is lost.
    assert [recalled(index, other) for other in others] == [1] * 8
    assert [path.name for path in index.parent.iterdir()] == [index.name]


@pytest.mark.posix
def test_what_is_known_of_files_that_are_gone_is_given_up(audio, index, tmp_path):
    remember(index, audio)
    (tmp_path / "b.wav").write_bytes(b"b")
    audio.unlink()
    assert recalled(index, audio) is None
    remember(index, tmp_path / "b.wav")
    assert str(audio) not in index.read_text(encoding="ascii")


def test_a_folder_that_takes_no_file_costs_the_next_start_its_time_only(audio, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file in place of the folder")
    remember(tmp_path / "cache" / "files" / "index.json", audio)
    assert (tmp_path / "cache").read_bytes() == b"a file in place of the folder"


@pytest.mark.posix
@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_names_need_not_be_utf8(audio, index):
    path = os.fsencode(audio.parent) + b"/\xff.wav"
    with open(path, "wb") as stream:
        stream.write(b"x")
    remember(index, os.fsdecode(path))
    assert recalled(index, os.fsdecode(path)) == 1


def test_without_an_index_nothing_is_remembered(audio):
    NO_FACTS.look(audio).remember("header", 1)
    assert NO_FACTS.look(audio).recall("header") is None
    NO_FACTS.keep()


def test_folders_have_indices_of_their_own_that_travel_to_workers(tmp_path, index, audio):
    first, second = (FileFacts.of_data_set(tmp_path, tmp_path / name) for name in "ab")
    assert first._path != second._path
    remember(index, audio)
    assert pickle.loads(pickle.dumps(FileFacts(index))).look(audio).recall("header") == recalled(index, audio)
