import collections
import logging

import numpy as np
import pytest
import soundfile
import torch

from datamodules.audio.io import AudioFileError
from datamodules.sources import Recording
from datamodules.windows import TrainWindows, WindowRules


class Arrays:
    """Recordings in memory; a None stands for a file that turns out to be damaged."""

    def __init__(self, *arrays):
        self.recordings = [Recording(f"{number}.wav", 1.0, "train", str(number)) for number in range(len(arrays))]
        self.skipped = []
        self.reads = collections.Counter()
        self._arrays = arrays

    def len_samples(self, index):
        return 1000 if self._arrays[index] is None else self._arrays[index].shape[1]

    def read(self, index, start, count):
        self.reads[index] += 1
        if self._arrays[index] is None:
            raise AudioFileError(f"{index}.wav", "is damaged")
        return self._arrays[index][:, start : start + count]


def ramp(length, first=0.0):
    return np.arange(first, first + length, dtype=np.float32)[None]


def square_wave(length, level=0.1):
    return (level * (1 - 2 * (np.arange(length) % 2))).astype(np.float32)[None]


def test_example_is_a_window_of_the_asked_length():
    windows = TrainWindows(Arrays(ramp(1000)), WindowRules(16), seed=0)
    example = windows[5]
    assert example["index"] == 5
    assert example["clean"].dtype == torch.float32
    assert torch.equal(example["clean"][0].diff(), torch.ones(15))


def test_same_number_gives_the_same_window_and_others_differ():
    first, second = (TrainWindows(Arrays(ramp(100_000)), WindowRules(8), seed=3) for _ in range(2))
    starts = [first[n]["clean"][0, 0].item() for n in range(50)]
    assert starts == [second[n]["clean"][0, 0].item() for n in range(50)]
    assert len(set(starts)) > 45
    other_seed = TrainWindows(Arrays(ramp(100_000)), WindowRules(8), seed=4)
    assert starts != [other_seed[n]["clean"][0, 0].item() for n in range(50)]


def test_every_window_of_every_recording_is_equally_likely():
    windows = TrainWindows(Arrays(ramp(4), ramp(2), ramp(6, 100)), WindowRules(3), seed=0)
    counts = collections.Counter(windows[n]["clean"][0, 0].item() for n in range(6000))
    assert set(counts) == {0, 1, 100, 101, 102, 103}
    assert all(count == pytest.approx(1000, abs=120) for count in counts.values())
    assert windows.too_short == 1


def test_a_recording_as_long_as_the_window_is_used_whole():
    assert TrainWindows(Arrays(ramp(8)), WindowRules(8), seed=0)[0]["clean"][0].tolist() == list(range(8))


def test_silence_is_drawn_again():
    half_silent = np.concatenate([np.full((1, 5000), 0.5, np.float32), square_wave(5000)], axis=1)
    windows = TrainWindows(Arrays(half_silent), WindowRules(100, silence_db=-40), seed=0)
    assert all(windows[n]["clean"].std() >= 0.01 for n in range(50))


def test_almost_nothing_but_silence_ends_after_a_few_tries():
    silence = np.zeros((1, 100_000), np.float32)
    arrays = Arrays(np.concatenate([silence, square_wave(100), silence], axis=1))
    windows = TrainWindows(arrays, WindowRules(100, silence_db=-40), seed=0)
    arrays.reads.clear()
    assert windows[0]["clean"].abs().max() == 0
    assert 1 < arrays.reads[0] <= 50


@pytest.mark.parametrize("constant", [0.0, 0.5, -0.3])
def test_nothing_but_constants_is_refused_before_training(tmp_path, constant):
    arrays = Arrays(np.full((1, 1000), constant, np.float32))
    soundfile.write(tmp_path / "0.wav", np.full(1000, constant), 8000)
    arrays.recordings = [Recording(str(tmp_path / "0.wav"), 0.1, "train", "0")]
    with pytest.raises(ValueError, match=r"'train' is silent or damaged in all of its 1 rec.*0\.wav: holds no sound"):
        TrainWindows(arrays, WindowRules(100, silence_db=-40), seed=0)
    TrainWindows(arrays, WindowRules(100, silence_db=None), seed=0)


def test_level_varies_within_its_range():
    arrays = Arrays(np.full((1, 100), 0.1, np.float32))
    windows = TrainWindows(arrays, WindowRules(10, level_db=[-6, 6]), seed=0)
    levels_db = [20 * np.log10(windows[n]["clean"][0, 0].item() / 0.1) for n in range(200)]
    assert -6 <= min(levels_db) < -5
    assert 5 < max(levels_db) <= 6
    assert TrainWindows(arrays, WindowRules(10), seed=0)[0]["clean"][0, 0].item() == pytest.approx(0.1)


def test_recordings_are_never_modified():
    array = np.full((1, 100), 0.1, np.float32)
    TrainWindows(Arrays(array), WindowRules(100, level_db=[6, 6]), seed=0)[0]["clean"].mul_(2)
    assert (TrainWindows(Arrays(array.copy()), WindowRules(100), seed=0)[0]["clean"] == 0.1).all()


def test_damaged_files_are_named_once_and_replaced(caplog):
    windows = TrainWindows(Arrays(ramp(1000), None), WindowRules(16), seed=0)
    with caplog.at_level(logging.WARNING):
        assert all(len(windows[n]["clean"][0]) == 16 for n in range(50))
    assert [record.getMessage() for record in caplog.records] == ["left out damaged windows of 1.wav: is damaged"]


def test_nothing_readable_is_one_sentence():
    arrays = Arrays(ramp(1000))
    windows = TrainWindows(arrays, WindowRules(16), seed=0)
    arrays._arrays = (None,)
    with pytest.raises(ValueError, match="20 windows in a row are unreadable; data.cache=true"):
        windows[0]


def test_a_window_longer_than_every_recording_names_the_key():
    with pytest.raises(ValueError, match=r"data.window_samples=20 is longer than each of the 2 .* at most 12"):
        TrainWindows(Arrays(ramp(10), ramp(12)), WindowRules(20), seed=0)


@pytest.mark.parametrize("rules", [{"window_samples": 0}, {"window_samples": 8, "level_db": [3, -3]}])
def test_impossible_rules_are_refused(rules):
    with pytest.raises(ValueError, match=r"data\.(window_samples|level_db)="):
        WindowRules(**rules)


def test_sliding_windows_come_once_each_at_multiples_of_the_stride():
    windows = TrainWindows(Arrays(ramp(10), ramp(3, 50), ramp(9, 100)), WindowRules(4, stride_samples=2), seed=0)
    starts = [windows[n]["clean"][0, 0].item() for n in range(14)]
    assert windows.count == 7 and windows.too_short == 1
    assert sorted(starts[:7]) == sorted(starts[7:]) == [0, 2, 4, 6, 100, 102, 104]


def test_order_of_sliding_windows_follows_seed_and_round():
    def order(seed, first):
        windows = TrainWindows(Arrays(ramp(1000)), WindowRules(10, stride_samples=10), seed=seed)
        return [windows[n]["clean"][0, 0].item() for n in range(first, first + 100)]

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(0, 0)), tuple(order(0, 100)), tuple(order(1, 0)), tuple(range(0, 1000, 10))}) == 4


def test_stride_beyond_the_window_leaves_gaps():
    windows = TrainWindows(Arrays(ramp(100)), WindowRules(10, stride_samples=40), seed=0)
    assert sorted(windows[n]["clean"][0, 0].item() for n in range(3)) == [0, 40, 80]


def test_silent_sliding_window_is_replaced_by_another():
    half_silent = np.concatenate([np.zeros((1, 500), np.float32), square_wave(500)], axis=1)
    windows = TrainWindows(Arrays(half_silent), WindowRules(100, silence_db=-40, stride_samples=100), seed=0)
    assert all(windows[n]["clean"].std() >= 0.01 for n in range(10))


def test_stride_of_1_is_every_place_and_none_draws_as_before():
    arrays = Arrays(ramp(50))
    every = TrainWindows(arrays, WindowRules(10, stride_samples=1), seed=0)
    assert sorted(every[n]["clean"][0, 0].item() for n in range(41)) == list(range(41))
    drawn = TrainWindows(arrays, WindowRules(10), seed=0)
    assert len({drawn[n]["clean"][0, 0].item() for n in range(41)}) < 41


def test_stride_beside_weights_is_refused():
    arrays = Arrays(ramp(50), ramp(50))
    arrays.recordings = [
        Recording(f"{number}.wav", 1.0, "train", str(number), share=(str(number), 1.0))
        for number in range(len(arrays.recordings))
    ]
    with pytest.raises(ValueError, match=r"data.stride_samples=5 takes every window equally often, which data.root_weights"):
        TrainWindows(arrays, WindowRules(10, stride_samples=5), seed=0)
    assert TrainWindows(arrays, WindowRules(10), seed=0).count == 82


def test_stride_of_0_is_refused():
    with pytest.raises(ValueError, match="data.stride_samples=0 must be at least 1, or null"):
        WindowRules(10, stride_samples=0)
