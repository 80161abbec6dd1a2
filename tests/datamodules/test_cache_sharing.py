"""A cache is made once, by all who need it together, and whoever is killed leaves the rest to the others."""

import itertools
import logging
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from datamodules import cache_decoding, cache_filling
from datamodules.audio.io import read
from datamodules.cache import CachedRecordings
from datamodules.cache_filling import grouped
from datamodules.cache_format import CacheFormat
from datamodules.sources import Recording
from machine.locks import FileLock, take

RATE_HZ, SECONDS, COUNT = 8000, 2.0, 8


@pytest.fixture
def recordings(tmp_path, write_noise):
    paths = [write_noise(tmp_path / "audio" / f"{number}.wav", SECONDS, RATE_HZ, seed=number) for number in range(COUNT)]
    return [Recording(str(path), SECONDS, "train", path.name) for path in paths]


@pytest.fixture
def layout(tmp_path):
    return CacheFormat(tmp_path / "cache", RATE_HZ)


def builder(recordings, layout, delay_seconds):
    """Start a process that fills a cache of one recording a shard, and says which files it decodes."""
    code = f"""
import logging, sys, time
from pathlib import Path
from datamodules import cache_decoding, cache_filling
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat
from datamodules.sources import Recording

logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
cache_filling.SHARD_BYTES = (1, 1)
original = cache_decoding.decode_blocks
def slowly(path, *rest):
    sys.stdout.write(path + "\\n")  # In one piece: threads write together.
    sys.stdout.flush()
    time.sleep({delay_seconds})
    yield from original(path, *rest)
cache_decoding.decode_blocks = slowly
paths = {[recording.path for recording in recordings]!r}
recordings = [Recording(path, {SECONDS}, "train", path) for path in paths]
CachedRecordings(recordings, CacheFormat(Path({str(layout.folder)!r}), {RATE_HZ}))
"""
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def assert_whole(recordings, layout, monkeypatch):
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))
    cached = CachedRecordings(recordings, layout)
    for index, recording in enumerate(recordings):
        np.testing.assert_array_equal(cached.read(index, 0, cached.len_samples(index)), read(recording.path))


def test_processes_that_fill_one_cache_decode_everything_once(recordings, layout, monkeypatch):
    builders = [builder(recordings, layout, 0.2) for _ in range(3)]
    said = [process.communicate(timeout=60)[0].split() for process in builders]
    assert [process.returncode for process in builders] == [0, 0, 0]
    assert sorted(itertools.chain(*said)) == [recording.path for recording in recordings]
    assert_whole(recordings, layout, monkeypatch)
    assert all(path.suffix == ".shard" for path in layout.shards.iterdir())


def test_what_a_killed_process_has_made_is_kept_and_the_rest_is_made(recordings, layout, monkeypatch):
    killed = builder(recordings, layout, 0.3)
    deadline = time.monotonic() + 60
    while len(list(layout.shards.glob("*.shard"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    killed.send_signal(getattr(signal, "SIGKILL", signal.SIGTERM))
    killed.communicate()
    made = {path.name for path in layout.shards.glob("*.shard")}
    assert 3 <= len(made) < COUNT
    again = builder(recordings, layout, 0.0)
    decoded = again.communicate(timeout=60)[0].split()
    assert len(decoded) == COUNT - len(made)
    assert made < {path.name for path in layout.shards.iterdir()}
    assert len(list(layout.shards.iterdir())) == COUNT
    assert_whole(recordings, layout, monkeypatch)


def test_who_waits_for_a_process_that_is_killed_takes_over(recordings, layout, monkeypatch):
    killed = builder(recordings, layout, 60.0)
    assert killed.stdout is not None
    killed.stdout.readline()
    waiting = builder(recordings, layout, 0.0)
    assert waiting.stderr is not None
    while "waiting for another process, which decodes" not in waiting.stderr.readline():
        pass
    assert waiting.poll() is None
    killed.kill()
    killed.communicate()
    decoded = waiting.communicate(timeout=60)[0].split()
    assert (waiting.returncode, sorted(decoded)) == (0, [recording.path for recording in recordings])
    assert_whole(recordings, layout, monkeypatch)


def test_shards_depend_on_the_recordings_alone(recordings, layout):
    least, most = cache_filling.SHARD_BYTES
    short = [Recording(f"{number}.wav", 10.0, "train", "a") for number in range(100)]
    assert [len(group) for group in grouped(short, layout)] == [27, 27, 27, 19]  # of 160 kB each, until 4 MiB are reached
    long = [Recording(f"{number}.wav", 600.0, "train", "a") for number in range(2000)]
    sizes = [len(group) * layout.size_bytes(600) for group in grouped(long, layout)]
    assert most <= sizes[0] < most + layout.size_bytes(600) and len(set(sizes[:-1])) == 1
    assert grouped([], layout) == [] and least < most
    assert list(itertools.chain(*grouped(long, layout))) == long


def test_recordings_share_a_shard(recordings, layout, monkeypatch):
    CachedRecordings(recordings, layout)
    assert len(list(layout.shards.iterdir())) == 1
    assert_whole(recordings, layout, monkeypatch)


def test_a_recording_that_is_added_costs_a_shard_of_its_own(recordings, layout, monkeypatch):
    CachedRecordings(recordings[1:], layout)
    (first,) = layout.shards.iterdir()
    content = first.read_bytes()
    CachedRecordings(recordings, layout)
    assert len(list(layout.shards.iterdir())) == 2 and first.read_bytes() == content
    assert_whole(recordings, layout, monkeypatch)


def test_a_file_system_without_locks_gives_a_whole_cache(recordings, layout, monkeypatch):
    def refuse(path):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(cache_filling, "take", refuse)
    CachedRecordings(recordings, layout)
    assert_whole(recordings, layout, monkeypatch)


def test_a_shard_without_a_readable_recording_is_none(tmp_path, layout, caplog):
    (tmp_path / "text.wav").write_text("no audio", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        cached = CachedRecordings([Recording(str(tmp_path / "text.wav"), 1.0, "train", "a")], layout)
    assert cached.recordings == [] and len(cached.skipped) == 1
    assert list(layout.shards.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no file that is open")
def test_a_claim_is_not_taken_from_who_comes_when_it_ends(layout, monkeypatch):
    layout.shards.mkdir(parents=True)
    shard, release, next_ones = layout.shards / "a.shard", FileLock.release, []

    def release_and_be_followed(lock):
        release(lock)
        next_ones.append(take(layout.shards / ".a.partial.lock"))

    with monkeypatch.context() as patch:
        patch.setattr(FileLock, "release", release_and_be_followed)
        with cache_filling._claimed(shard) as is_mine:
            assert is_mine
    assert next_ones[0] is not None
    with cache_filling._claimed(shard) as is_mine:
        assert not is_mine
