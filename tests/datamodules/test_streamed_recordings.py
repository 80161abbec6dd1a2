import errno
import logging
import os
import pickle
import struct

import numpy as np
import pytest
import soundfile

from datamodules.audio import open_files
from datamodules.cache import CachedRecordings
from datamodules.cache_format import CacheFormat
from datamodules.sources import Recording
from datamodules.streamed_recordings import StreamedRecordings
from datamodules.windows import TrainWindows, WindowRules

NATIVE_HZ = 11025


@pytest.fixture
def recordings(tmp_path, write_noise):
    paths = [write_noise(tmp_path / f"{number}.flac", 2.0, NATIVE_HZ, channels=number, seed=number) for number in (1, 2)]
    return [Recording(str(path), 2.0, "train", path.name) for path in paths]


def both(recordings, folder, sample_rate, channels):
    cached = CachedRecordings(recordings, CacheFormat(folder, sample_rate, channels, "float32"))
    return cached, StreamedRecordings(recordings, sample_rate, channels)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("sample_rate", [8000, NATIVE_HZ, 16000, 44100])
def test_windows_are_those_of_the_cache(tmp_path, recordings, sample_rate, channels):
    cached, streamed = both(recordings, tmp_path / "cache", sample_rate, channels)
    for index in (0, 1):
        length = cached.len_samples(index)
        assert streamed.len_samples(index) == length
        for start, count in [(0, length), (0, 100), (1, 1000), (length // 2 + 1, 777), (length - 500, 500)]:
            expected, window = cached.read(index, start, count), streamed.read(index, start, count)
            assert (window.dtype, window.shape) == (np.float32, (channels, count))
            np.testing.assert_allclose(window, expected, rtol=0, atol=0 if sample_rate == NATIVE_HZ else 2e-6)


def claim_samples(path, samples):
    """Set the granule position of the last Ogg page, and its checksum (RFC 3533)."""
    content = bytearray(path.read_bytes())
    page = content.rfind(b"OggS")
    content[page + 6 : page + 14] = struct.pack("<q", samples)
    content[page + 22 : page + 26] = bytes(4)
    checksum = 0
    for byte in content[page:]:
        checksum ^= byte << 24
        for _ in range(8):
            checksum = (checksum << 1 ^ (0x04C11DB7 if checksum & 0x80000000 else 0)) & 0xFFFFFFFF
    content[page + 22 : page + 26] = struct.pack("<I", checksum)
    path.write_bytes(content)


@pytest.mark.parametrize("claimed", [2**31, 40_000])
def test_a_file_that_claims_more_than_it_holds_is_named_and_left_out(tmp_path, recordings, write_noise, claimed):
    path = write_noise(tmp_path / "liar.ogg", 4.0, 8000, subtype="VORBIS")
    claim_samples(path, claimed)
    assert soundfile.info(path).frames == claimed
    streamed = StreamedRecordings([*recordings, Recording(str(path), claimed / 8000, "train", "liar")], 8000, 1)
    assert streamed.recordings == recordings
    assert [sentence.split(": ")[0] for sentence in streamed.skipped] == [str(path)]


def test_whole_files_of_formats_that_claim_lengths_are_kept(tmp_path, write_noise):
    paths = [write_noise(tmp_path / "a.ogg", 4.0, 8000, subtype="VORBIS"), tmp_path / "a.mp3", tmp_path / "a.opus"]
    noise = 0.1 * np.random.default_rng(0).standard_normal(64_000)
    soundfile.write(paths[1], noise, 16_000)
    soundfile.write(paths[2], noise, 16_000, format="OGG", subtype="OPUS")
    assert StreamedRecordings([Recording(str(path), 4.0, "train", "a") for path in paths], 8000, 1).skipped == []


def test_broken_files_are_named_once_and_left_out(tmp_path, recordings, broken_files, caplog):
    broken = broken_files(tmp_path / "broken")
    given = [*recordings, *(Recording(str(tmp_path / "broken" / name), 1.0, "train", name) for name in broken)]
    with caplog.at_level(logging.WARNING):
        streamed = StreamedRecordings(given, 8000, 1)
    assert streamed.recordings == recordings
    assert len(streamed.skipped) == len(caplog.records) == len(broken)


def test_windows_are_those_of_the_cache_at_a_much_lower_rate(tmp_path):
    near_the_band_limit = 0.9 * np.sin(2 * np.pi * 0.46 * 8000 * np.arange(2 * 192_000) / 192_000)
    soundfile.write(tmp_path / "fast.wav", near_the_band_limit, 192_000)
    cached, streamed = both([Recording(str(tmp_path / "fast.wav"), 2.0, "train", "fast")], tmp_path / "cache", 8000, 1)
    for start in (0, 5000, 15_000):
        np.testing.assert_allclose(streamed.read(0, start, 1000), cached.read(0, start, 1000), rtol=0, atol=2e-6)


def test_all_recordings_of_a_process_keep_a_bounded_number_of_files_open(recordings, monkeypatch):
    monkeypatch.setattr(open_files, "SHARED", open_files.OpenFiles(most=2))
    splits = [StreamedRecordings(recordings, 8000, 1) for _ in range(3)]
    for split in [*splits, pickle.loads(pickle.dumps(splits[0]))]:
        for index in range(2):
            split.read(index, 0, 10)
    assert len(open_files.SHARED) == 2


def test_recordings_that_are_opened_again_are_read_from_files_that_have_replaced_others(recordings, write_noise, tmp_path):
    before = StreamedRecordings(recordings, NATIVE_HZ, 1).read(0, 0, 10)
    os.replace(write_noise(tmp_path / "other.flac", 2.0, NATIVE_HZ, seed=9), recordings[0].path)
    assert not np.array_equal(StreamedRecordings(recordings, NATIVE_HZ, 1).read(0, 0, 10), before)


def test_windows_that_no_descriptor_is_left_for_are_not_left_out_as_damaged(recordings, monkeypatch):
    def refuse(path):
        raise OSError(errno.EMFILE, "Too many open files", str(path))

    windows = TrainWindows(StreamedRecordings(recordings, 8000, 1), WindowRules(1000, None, None, None), 0)
    expected = windows[0]["clean"]
    open_files.SHARED.close()
    with monkeypatch.context() as patch:
        patch.setattr(open_files, "open_audio", refuse)
        with pytest.raises(OSError, match="Too many open files"):
            windows[0]
    np.testing.assert_array_equal(windows[0]["clean"], expected)
