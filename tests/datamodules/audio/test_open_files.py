"""Files that stay open give the samples of files that are opened anew, in bounded number, in every process."""

import contextlib
import multiprocessing
import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile

from datamodules.audio.io import AudioFileError, read
from datamodules.audio.open_files import OpenFiles

PARTS = [(5000, 1000), (0, 100), (15_000, 1000), (0, 16_000), (7, 1)]


@pytest.fixture
def paths(tmp_path, write_noise):
    return [write_noise(tmp_path / f"{number}.flac", 2.0, 8000, channels=2, seed=number) for number in range(6)]


@pytest.mark.parametrize("name", ["a.flac", "a.wav", "a.aiff", "a.ogg", "a.mp3", "float.wav", "adpcm.wav"])
def test_parts_are_those_of_a_file_that_is_opened_anew(tmp_path, name):
    subtype = {"float.wav": "FLOAT", "adpcm.wav": "IMA_ADPCM"}.get(name)
    soundfile.write(tmp_path / name, 0.1 * np.random.default_rng(0).standard_normal(16_000), 8000, subtype=subtype)
    files = OpenFiles()
    for start, count in PARTS:
        np.testing.assert_array_equal(files.read(tmp_path / name, start, count), read(tmp_path / name, start, count))
    assert len(files) == (name in {"a.flac", "a.wav", "a.aiff", "float.wav"})


def test_the_files_that_were_read_last_stay_open(paths):
    files = OpenFiles(most=2)
    for path in [*paths, *paths[:3]]:
        np.testing.assert_array_equal(files.read(path, 100, 50), read(path, 100, 50))
        assert len(files) <= 2
    paths[2].unlink()
    assert files.read(paths[2], 0, 10).shape == (2, 10)
    paths[4].unlink()
    with pytest.raises(AudioFileError, match="no such file"):
        files.read(paths[4], 0, 10)


def test_a_part_that_is_not_there_is_refused_and_costs_nothing_else(paths):
    files = OpenFiles()
    with pytest.raises(AudioFileError, match="has 16000 samples, asked for 100 from sample 15950"):
        files.read(paths[0], 15_950, 100)
    assert len(files) == 0
    np.testing.assert_array_equal(files.read(paths[0], 0, 100), read(paths[0], 0, 100))


def test_threads_read_the_same_file_at_once(paths):
    files, whole = OpenFiles(), read(paths[0])
    starts = np.random.default_rng(0).integers(0, 15_000, 200).tolist()
    with ThreadPoolExecutor(8) as pool:
        for start, part in zip(starts, pool.map(lambda start: files.read(paths[0], start, 1000), starts), strict=True):
            np.testing.assert_array_equal(part, whole[:, start : start + 1000])
    assert len(files) == 1


def _read_many(files, path, connection):
    starts = np.random.default_rng(1).integers(0, 15_000, 300).tolist()
    whole = read(path)
    connection.send(all(np.array_equal(files.read(path, start, 1000), whole[:, start : start + 1000]) for start in starts))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs a system that forks")
def test_processes_that_are_forked_do_not_share_a_position(paths):
    files, context = OpenFiles(), multiprocessing.get_context("fork")
    files.read(paths[0], 0, 10)
    ends = [context.Pipe(duplex=False) for _ in range(2)]
    workers = [context.Process(target=_read_many, args=(files, paths[0], sending)) for _, sending in ends]
    for worker in workers:
        worker.start()
    assert [receiving.recv() for receiving, _ in ends] == [True, True]
    for worker in workers:
        worker.join()


@contextlib.contextmanager
def no_further_file():
    resource = pytest.importorskip("resource", reason="Windows limits open files otherwise")
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("name", ["a.flac", "a.ogg"])
def test_without_descriptors_files_that_are_not_being_read_are_closed(tmp_path, paths, name):
    soundfile.write(tmp_path / name, 0.1 * np.random.default_rng(0).standard_normal(16_000), 8000)
    files, expected = OpenFiles(), read(tmp_path / name, 100, 50)
    for path in paths:
        files.read(path, 0, 10)
    with no_further_file():
        part = files.read(tmp_path / name, 100, 50)
    np.testing.assert_array_equal(part, expected)
    assert len(files) == (name == "a.flac")


def test_without_descriptors_no_file_is_called_damaged(paths):
    files = OpenFiles()
    with no_further_file(), pytest.raises(OSError, match="Too many open files"):
        files.read(paths[0], 0, 10)
    assert files.read(paths[0], 0, 10).shape == (2, 10)


def test_a_descriptor_that_is_lacking_when_the_library_opens_a_file_is_no_damage(paths, monkeypatch):
    original = soundfile.SoundFile

    def open_without_descriptors(*arguments):
        without.enter_context(no_further_file())
        return original(*arguments)

    monkeypatch.setattr(soundfile, "SoundFile", open_without_descriptors)
    with contextlib.ExitStack() as without, pytest.raises(OSError, match="Too many open files"):
        read(paths[0], 0, 10)


def test_closed_files_are_opened_anew(paths):
    files = OpenFiles()
    before = files.read(paths[0], 0, 10)
    files.close()
    assert len(files) == 0
    os.replace(paths[1], paths[0])
    assert not np.array_equal(files.read(paths[0], 0, 10), before)


def test_pickled_it_is_empty(paths):
    files = OpenFiles(most=3)
    files.read(paths[0], 0, 10)
    assert len(pickle.loads(pickle.dumps(files))) == 0
