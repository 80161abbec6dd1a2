import logging
import os
import shutil
import time

import numpy as np
import pytest
import soundfile

from datamodules import cache_decoding, cache_filling
from datamodules.audio.io import read
from datamodules.audio.partial import replaced_when_done
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat, from_stored, to_stored
from datamodules.shard_file import read_directory
from datamodules.sources import Recording


def recording(path, seconds=1.0):
    return Recording(str(path), seconds, "train", path.name)


@pytest.fixture
def recordings(tmp_path, write_noise):
    return [recording(write_noise(tmp_path / "audio" / f"{number}.wav", seed=number)) for number in range(4)]


@pytest.fixture
def layout(tmp_path):
    return CacheFormat(tmp_path / "cache", 8000)


def shards(layout):
    return sorted(layout.shards.glob("*.shard"))


def held(layout):
    """Return the sizes of all arrays."""
    return [place.end - place.start for shard in shards(layout) for place in read_directory(shard).values()]


def test_int16_error_is_at_most_one_step():
    samples = np.linspace(-1, 1, 200001, dtype=np.float32)
    assert np.abs(from_stored(to_stored(samples, "int16")) - samples).max() <= 1 / 32768


def test_int16_clips_and_does_not_wrap():
    assert to_stored(np.array([-2.0, -1.0, 0.0, 1.0, 1.5]), "int16").tolist() == [-32768, -32768, 0, 32767, 32767]


def test_int16_keeps_the_level_of_quiet_audio():
    quiet = 1e-3 * np.random.default_rng(0).standard_normal(100_000).astype(np.float32)
    assert np.std(from_stored(to_stored(quiet, "int16"))) == pytest.approx(np.std(quiet), rel=1e-3)


@pytest.mark.parametrize("dtype", ["int16", "float32"])
def test_samples_of_16_bit_files_are_exact(recordings, layout, dtype):
    cached = CachedRecordings(recordings, CacheFormat(layout.folder, 8000, dtype=dtype))
    part = cached.read(2, 100, 50)
    assert (part.dtype, part.shape) == (np.float32, (1, 50))
    np.testing.assert_array_equal(part, read(recordings[2].path)[:, 100:150])


def test_files_above_full_scale_are_clipped_with_a_warning(tmp_path, layout, caplog):
    soundfile.write(tmp_path / "loud.wav", np.array([0.5, 1.5, -3.0, 0.0]), 8000, subtype="FLOAT")
    with caplog.at_level(logging.WARNING):
        cached = CachedRecordings([recording(tmp_path / "loud.wav")], layout)
    assert cached.read(0, 0, 4)[0].tolist() == [0.5, 32767 / 32768, -1.0, 0.0]
    assert "clipped 2 samples of 1 recordings; data.cache_dtype=float32 keeps them" in caplog.text


def test_rate_and_channels_are_those_asked_for(tmp_path, write_noise, layout):
    path = write_noise(tmp_path / "stereo.flac", sample_rate=44100, channels=2)
    for channels in (1, 2):
        cached = CachedRecordings([recording(path)], CacheFormat(layout.folder, 16000, channels))
        assert cached.len_samples(0) == 16000
        assert cached.read(0, 0, 16000).shape == (channels, 16000)


def test_a_second_run_decodes_nothing(recordings, layout, monkeypatch):
    first = CachedRecordings(recordings, layout).read(1, 0, 8000)
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda *arguments: pytest.fail("decoded again"))
    np.testing.assert_array_equal(CachedRecordings(recordings, layout).read(1, 0, 8000), first)


def test_an_interrupted_run_goes_on_where_it_stopped(recordings, layout, monkeypatch):
    CachedRecordings(recordings[:2], layout)
    decoded = []
    original = cache_decoding.decode_blocks
    monkeypatch.setattr(cache_decoding, "decode_blocks", lambda path, *rest: (decoded.append(path), original(path, *rest))[1])
    CachedRecordings(recordings, layout)
    assert sorted(decoded) == [item.path for item in recordings[2:]]


def test_a_half_written_array_is_never_used(recordings, layout, monkeypatch):
    def die(path, *rest):
        yield np.zeros((1, 4000), np.float32)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache_decoding, "decode_blocks", die)
        with pytest.raises(KeyboardInterrupt):
            CachedRecordings(recordings[:1], layout)
    assert shards(layout) == []
    (layout.shards / ".1234.partial").write_bytes(b"left over by a killed run")
    assert CachedRecordings(recordings[:1], layout).len_samples(0) == 8000


def test_a_changed_file_is_decoded_again(recordings, layout, write_noise, tmp_path):
    before = CachedRecordings(recordings, layout).read(0, 0, 8000)
    write_noise(tmp_path / "audio" / "0.wav", seed=99)
    os.utime(tmp_path / "audio" / "0.wav", ns=(0, 12345))
    after = CachedRecordings(recordings, layout).read(0, 0, 8000)
    assert not np.array_equal(before, after)
    assert len(held(layout)) == 5


def test_key_depends_on_time_size_place_and_format(tmp_path, write_noise, layout):
    path = write_noise(tmp_path / "a.wav")
    keys = [layout.key_of(str(path))]
    keys += [CacheFormat(layout.folder, *facts).key_of(str(path)) for facts in [(16000,), (8000, 2), (8000, 1, "float32")]]
    keys.append(layout.key_of(shutil.copy2(path, tmp_path / "copy.wav")))
    os.utime(path, ns=(0, 1))
    keys.append(layout.key_of(str(path)))
    os.utime(write_noise(path, seconds=2), ns=(0, 1))
    keys.append(layout.key_of(str(path)))
    assert len(set(keys)) == 7


def test_broken_files_are_named_once_and_left_out(tmp_path, recordings, layout, broken_files, caplog):
    broken = broken_files(tmp_path / "broken")
    given = [
        *recordings[:2],
        *(recording(tmp_path / "broken" / name) for name in sorted(broken)),
        recording(tmp_path / "gone.wav"),
    ]
    with caplog.at_level(logging.WARNING):
        cached = CachedRecordings(given, layout)
    assert cached.recordings == recordings[:2]
    assert len(cached.skipped) == len(broken) + 1
    for name in [*broken, "gone.wav"]:
        assert sum(f"{name}: " in record.getMessage() for record in caplog.records) == 1


def test_disk_use_is_said_before_it_starts(recordings, layout, caplog):
    with caplog.at_level(logging.INFO):
        CachedRecordings(recordings, layout)
    assert "decoding 4 recordings" in caplog.messages[0]
    assert layout.size_bytes(4.0) == 64000
    assert all(size - 16000 in range(64, 257) for size in held(layout))


def test_a_full_disk_is_noticed_before_it_starts(recordings, layout, monkeypatch):
    monkeypatch.setattr(cache_filling.shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(ValueError, match=r"data.cache_dir=.*cache has 0.00 GB free but 0.10 GB are needed; set data.cache_dir"):
        CachedRecordings(recordings, layout)


def test_a_disk_that_fills_up_gives_one_sentence(recordings, layout, monkeypatch):
    def fail(writer, frames):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_decoding.ArrayWriter, "append", fail)
    with pytest.raises(ValueError, match=r"data.cache_dir=.* could not be filled \(.*no space left.*data.cache=stream"):
        CachedRecordings(recordings, layout)
    assert list(layout.shards.iterdir()) == []


def test_an_unwritable_folder_gives_one_sentence(tmp_path, recordings):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"data.cache_dir=.*cannot be written to \(.*\); set data.cache_dir or CLARION_CACHE"):
        CachedRecordings(recordings, CacheFormat(tmp_path / "file" / "cache", 8000))


def test_unknown_dtype_is_refused(tmp_path):
    with pytest.raises(ValueError, match="data.cache_dtype='int8' is unknown; known: int16, float32"):
        CacheFormat(tmp_path, 8000, 1, "int8")


def test_long_recordings_do_not_fill_the_memory(tmp_path, layout):
    tracemalloc = pytest.importorskip("tracemalloc")
    soundfile.write(tmp_path / "long.wav", np.zeros(6_000_000, np.int16), 44100)
    tracemalloc.start()
    cached = CachedRecordings([recording(tmp_path / "long.wav", 136.0)], layout)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert cached.len_samples(0) == -(-6_000_000 * 8000 // 44100)
    assert peak < 20e6


def test_half_written_arrays_of_killed_runs_are_deleted_after_a_day(recordings, layout):
    layout.shards.mkdir(parents=True)
    old, young = layout.shards / ".old.partial", layout.shards / ".young.partial"
    for leftover in (old, young):
        leftover.write_bytes(b"half")
    day_ago = time.time() - 24 * 3600 - 60
    os.utime(old, (day_ago, day_ago))
    CachedRecordings(recordings[:1], layout)
    assert not old.exists()
    assert young.exists()


def test_half_written_arrays_that_no_process_holds_are_deleted_at_once(recordings, layout):
    layout.shards.mkdir(parents=True)
    left = layout.shards / f".{'a' * 32}.partial"
    left.write_bytes(b"half")
    with replaced_when_done(layout.shards / "other.shard") as temporary:
        CachedRecordings(recordings[:1], layout)
        assert temporary.exists()
    assert not left.exists()


def test_lock_that_is_left_when_no_array_is_missing_is_deleted(recordings, layout):
    CachedRecordings(recordings, layout)
    left = layout.shards / f".{'a' * 32}.partial.lock"
    left.touch()  # by a run that was killed after it gave the last array its name
    CachedRecordings(recordings, layout)
    assert not left.exists()
    assert len(held(layout)) == len(recordings)
