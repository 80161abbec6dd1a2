"""A cache mends itself: what is damaged, foreign or outdated is decoded again, and what cannot be mended is one sentence."""

import copy
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules import cache_decoding, cache_filling
from datamodules.array_file import ArrayWriter
from datamodules.audio.io import AudioFileError, read
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat
from datamodules.cache_index import CacheIndex
from datamodules.identity import identify
from datamodules.shard_file import ShardWriter
from datamodules.sources import Recording


@pytest.fixture
def recordings(tmp_path, write_noise):
    paths = [write_noise(tmp_path / "audio" / f"{number}.wav", 2.0, 48_000, seed=number) for number in range(2)]
    return [Recording(str(path), 2.0, "train", path.name) for path in paths]


@pytest.fixture
def layout(tmp_path):
    return CacheFormat(tmp_path / "cache", 48_000)


@pytest.fixture
def array(recordings, layout):
    """Return the place of the first of two arrays in a shard."""
    CachedRecordings(recordings, layout)
    return CacheIndex(layout.shards).places(layout.key_of(recordings[0].path))[0]


def assert_exact(cached, recordings):
    for index, recording in enumerate(recordings):
        np.testing.assert_array_equal(cached.read(index, 0, 96_000), read(recording.path))


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path)


def replace_by_device(path):
    path.unlink()
    path.symlink_to("/dev/zero")


def replace_by_dangling_link(path):
    path.unlink()
    path.symlink_to("nowhere")


def flip_a_bit(array):
    content = np.fromfile(array.path, np.uint8)
    content[array.start + 50_000] ^= 1
    content.tofile(array.path)


DAMAGES = {
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1000]),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"0"),
    "text": lambda path: path.write_text("this is no array" * 100, encoding="utf-8"),
    "pipe": replace_by_pipe,
    "device": replace_by_device,
    "dangling_link": replace_by_dangling_link,
}


@pytest.mark.skipif(os.name != "posix", reason="pipes and devices are files on POSIX systems")
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_shard_is_made_again_with_one_line(recordings, layout, array, damage, caplog):
    DAMAGES[damage](array.path)
    with caplog.at_level(logging.WARNING):
        assert_exact(CachedRecordings(recordings, layout), recordings)
    (line,) = caplog.messages
    assert line.startswith(f"1 files of decoded audio cannot be used, e.g. {array.path} ")
    caplog.clear()
    assert_exact(CachedRecordings(recordings, layout), recordings)
    assert not caplog.messages


def test_an_array_of_another_form_is_decoded_again(recordings, layout, array, caplog):
    with open(array.path, "wb") as stream:
        shard = ShardWriter(stream)
        with shard.entry(layout.key_of(recordings[0].path)) as place:
            writer = ArrayWriter(place, 2, "int16")
            writer.append(np.zeros((96_000, 2), np.int16))
            writer.finish(identify(recordings[0].path))
        shard.finish()
    with caplog.at_level(logging.WARNING):
        assert_exact(CachedRecordings(recordings, layout), recordings)
    (line,) = caplog.messages
    told = f"decoding 1 recordings again, whose cached arrays are damaged, e.g. {array.path} holds int16 of shape (96000, 2)"
    assert line == told


def test_a_seal_that_is_damaged_costs_one_recording_of_a_shard(recordings, layout, array, caplog):
    content = bytearray(array.path.read_bytes())
    content[array.end - 1] ^= 1
    array.path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert_exact(CachedRecordings(recordings, layout), recordings)
    (line,) = caplog.messages
    assert line.startswith(f"decoding 1 recordings again, whose cached arrays are damaged, e.g. {array.path} ")
    caplog.clear()
    assert_exact(CachedRecordings(recordings, layout), recordings)
    assert not caplog.messages


def test_flipped_bits_are_found_when_they_are_read_and_decoded_again(recordings, layout, array, caplog):
    cached = CachedRecordings(recordings, layout)
    content = np.fromfile(array.path, np.uint8)
    hit = np.random.default_rng(0).choice(np.arange(128, 192_128), 1900, replace=False)
    content[hit] ^= 4
    content.tofile(array.path)
    with caplog.at_level(logging.WARNING):
        assert_exact(cached, recordings)
        assert_exact(cached, recordings)
    (line,) = caplog.messages
    assert line.startswith(f"{array.path}, which holds {recordings[0].path}, has changed in the 65536 bytes of block ")
    assert line.endswith("; decoding it again")


def test_what_another_process_has_decoded_again_is_taken(recordings, layout, array, monkeypatch, caplog):
    cached = CachedRecordings(recordings, layout)
    other = copy.deepcopy(cached)
    flip_a_bit(array)
    assert_exact(other, recordings)
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))
    caplog.clear()
    assert_exact(cached, recordings)
    assert not caplog.messages


def test_what_has_been_decoded_again_and_is_damaged_too_is_decoded_once_more(recordings, layout, array):
    cached = CachedRecordings(recordings, layout)
    other = copy.deepcopy(cached)
    flip_a_bit(array)
    assert_exact(other, recordings)
    flip_a_bit(other._places[0])
    assert_exact(cached, recordings)


def test_flipped_bits_of_a_recording_that_is_gone_are_never_heard(recordings, layout, array):
    cached = CachedRecordings(recordings, layout)
    flip_a_bit(array)
    os.remove(recordings[0].path)
    with pytest.raises(AudioFileError, match=r"0\.wav: has changed since the run began, and its cached array is damaged"):
        cached.read(0, 0, 96_000)


def test_a_recording_rewritten_with_equal_size_and_time_is_decoded_again(recordings, layout, array, write_noise, caplog):
    state = os.stat(recordings[0].path)
    write_noise(Path(recordings[0].path), 2.0, 48_000, seed=99)
    os.utime(recordings[0].path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert CacheIndex(layout.shards).places(layout.key_of(recordings[0].path)) == [array]
    with caplog.at_level(logging.WARNING):
        assert_exact(CachedRecordings(recordings, layout), recordings)
    assert caplog.messages == [f"decoding 1 recordings again, which have changed since, e.g. {recordings[0].path}"]


def test_other_rights_decode_nothing(recordings, layout, array, monkeypatch):
    os.chmod(recordings[0].path, 0o600)
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))
    assert_exact(CachedRecordings(recordings, layout), recordings)


def test_other_rights_do_not_put_a_damaged_array_before_the_one_that_was_made_again(recordings, layout, array, monkeypatch):
    cached = CachedRecordings(recordings, layout)
    flip_a_bit(array)
    os.utime(array.path, ns=(10**18, 10**18))
    assert_exact(cached, recordings)
    os.chmod(recordings[1].path, 0o600)  # Of the other array of the old shard.
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))
    CachedRecordings(recordings, layout)
    assert_exact(CachedRecordings(recordings, layout), recordings)


def test_a_folder_in_place_of_a_shard_is_one_sentence(recordings, layout, array):
    array.path.unlink()
    array.path.mkdir()
    with pytest.raises(ValueError, match=rf"{array.path} is a folder where data.cache_dir keeps decoded audio; remove it"):
        CachedRecordings(recordings, layout)


@pytest.fixture
def read_only(monkeypatch):
    """Return a function that makes every folder of a cache one that cannot be written to."""

    def refuse(folder):
        raise cache_filling.OutputError(folder, "could not be written: read-only file system")

    return lambda: monkeypatch.setattr(cache_filling, "check_folder", refuse)


def test_a_complete_cache_needs_no_writable_folder(recordings, layout, array, read_only):
    read_only()
    assert_exact(CachedRecordings(recordings, layout), recordings)
    array.path.unlink()
    with pytest.raises(ValueError, match=r"data.cache_dir=.*cache cannot be written to \(.*read-only file system\); set data"):
        CachedRecordings(recordings, layout)


def test_a_read_only_cache_leaves_out_what_a_writable_one_does(recordings, layout, write_noise, tmp_path, read_only, caplog):
    damaged = tmp_path / "audio" / "nan.wav"
    soundfile.write(damaged, np.where(np.arange(96_000) == 50_000, np.nan, 0.1), 48_000, subtype="FLOAT")
    wanted = [recordings[0], Recording(str(damaged), 2.0, "train", "nan"), recordings[1]]
    writable = CachedRecordings(wanted, layout)
    read_only()
    caplog.clear()
    cached = CachedRecordings(wanted, layout)
    assert cached.skipped == writable.skipped == [f"{damaged}: holds NaN or infinite samples"]
    assert caplog.messages == [f"skipped {damaged}: holds NaN or infinite samples"]
    assert cached.recordings == recordings
    assert_exact(cached, recordings)
    added = Recording(str(write_noise(tmp_path / "audio" / "new.wav", 2.0, 48_000)), 2.0, "train", "new")
    with pytest.raises(ValueError, match="cannot be written to"):
        CachedRecordings([*wanted, added], layout)


def test_what_a_full_disk_has_interrupted_goes_on(recordings, layout, monkeypatch):
    original = cache_decoding.ArrayWriter.finish

    def fill_up(writer, source):
        if any(layout.shards.glob("*.shard")):
            raise OSError(28, "No space left on device")
        original(writer, source)

    with monkeypatch.context() as patch:
        patch.setattr(cache_filling, "SHARD_BYTES", (1, 1))
        patch.setattr(cache_filling, "parallel_map", lambda function, items, text: [function(item) for item in items])
        patch.setattr(cache_decoding.ArrayWriter, "finish", fill_up)
        with pytest.raises(ValueError, match=rf"data.cache_dir={layout.folder} could not be filled \(.*no space left"):
            CachedRecordings(recordings, layout)
    assert len(list(layout.shards.iterdir())) == 1
    assert_exact(CachedRecordings(recordings, layout), recordings)


def test_two_processes_may_fill_one_cache(recordings, layout):
    code = f"""
from pathlib import Path
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat
from datamodules.cache_index import CacheIndex
from datamodules.sources import Recording
paths = {[recording.path for recording in recordings]!r}
recordings = [Recording(path, 2.0, "train", path) for path in paths]
print(CachedRecordings(recordings, CacheFormat(Path({str(layout.folder)!r}), 48000)).len_samples(1))
"""
    builders = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [builder.communicate(timeout=60)[0] for builder in builders] == ["96000\n"] * 2
    assert_exact(CachedRecordings(recordings, layout), recordings)
    assert len(list(layout.shards.iterdir())) == 1


def test_an_array_that_another_process_has_made_meanwhile_is_taken(recordings, layout, monkeypatch):
    def other_process(folder):
        with monkeypatch.context() as patch:
            patch.setattr(cache_filling, "check_folder", original)
            CachedRecordings(recordings, layout)
        monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))

    original = cache_filling.check_folder
    monkeypatch.setattr(cache_filling, "check_folder", other_process)
    assert_exact(CachedRecordings(recordings, layout), recordings)
