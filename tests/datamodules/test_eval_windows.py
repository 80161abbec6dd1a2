from pathlib import Path

import numpy as np
import pytest
import torch

from datamodules.audio.io import AudioFileError
from datamodules.corruptions import Corruption
from datamodules.eval_windows import EvalRules, EvalWindows, checksum, hash_manifest
from datamodules.sources import Recording


class Noises:
    def __init__(self, *lengths, silent=(), damaged=()):
        self.recordings = [Recording(f"/data/set/{number}.wav", 1.0, "val", str(number)) for number in range(len(lengths))]
        self.skipped = []
        self._lengths, self._silent, self._damaged = lengths, silent, damaged

    def len_samples(self, index):
        return self._lengths[index]

    def read(self, index, start, count):
        if index in self._damaged:
            raise AudioFileError("x.wav", "is damaged")
        noise = 0.1 * np.random.default_rng(index).standard_normal((1, self._lengths[index])).astype(np.float32)
        return noise[:, start : start + count] * (index not in self._silent)


class AddNoise(Corruption):
    def __call__(self, clean, sample_rate, generator):
        assert clean.ndim == 3
        assert generator.device.type == "cpu"
        return clean + torch.randn(clean.shape, generator=generator)


def pairs(recordings, split="val", rules=None):
    return EvalWindows(recordings, Path("/data"), split, rules or EvalRules(100, 50, 2, -60.0), AddNoise(), 8000)


def test_windows_are_evenly_spaced_and_do_not_overlap():
    rules = EvalRules(10, 5, 3)
    assert rules.spans(42) == [(3, 10), (16, 10), (29, 10)]
    assert rules.spans(30) == [(0, 10), (10, 10), (20, 10)]
    assert rules.spans(25) == [(1, 10), (13, 10)]


def test_short_recordings_are_used_whole_or_not_at_all():
    rules = EvalRules(10, 5, 3)
    assert [rules.spans(length) for length in (10, 9, 5, 4)] == [[(0, 10)], [(0, 9)], [(0, 5)], []]


def test_examples_hold_pairs_of_their_own_length():
    examples = pairs(Noises(1000, 80, 30))
    assert examples.too_short == 1
    assert [examples[index]["clean"].shape for index in range(len(examples))] == [(1, 100), (1, 100), (1, 80)]
    assert all(examples[index]["corrupted"].shape == examples[index]["clean"].shape for index in range(3))
    assert [examples[index]["index"] for index in range(3)] == [0, 1, 2]


def test_pairs_never_change():
    first, second = pairs(Noises(1000, 500)), pairs(Noises(1000, 500))
    torch.manual_seed(1)
    order = [3, 0, 2, 1]
    again = {index: first[index] for index in order}
    for index in range(4):
        assert torch.equal(again[index]["corrupted"], second[index]["corrupted"])
        assert torch.equal(again[index]["corrupted"], first[index]["corrupted"])


def test_examples_and_splits_have_noise_of_their_own():
    examples, other = pairs(Noises(1000)), pairs(Noises(1000), split="test")
    noises = [part[index]["corrupted"] - part[index]["clean"] for part in (examples, other) for index in (0, 1)]
    assert not any(torch.allclose(noises[one], noises[two]) for one in range(4) for two in range(one))


def test_noise_of_a_pair_follows_the_evaluation_seed():
    one, other = (pairs(Noises(1000), rules=EvalRules(100, 50, 2, seed=seed))[0] for seed in (0, 1))
    assert torch.equal(one["clean"], other["clean"])
    assert not torch.allclose(one["corrupted"], other["corrupted"])


def test_silent_and_damaged_windows_are_left_out():
    assert {window["file"] for window in pairs(Noises(1000, 1000, 1000, silent=[0], damaged=[2])).manifest()} == {"set/1.wav"}


def test_manifest_says_what_is_evaluated():
    manifest = pairs(Noises(500)).manifest()
    drawn = {key: manifest[0][key] for key in ("checksum", "seed")}
    assert manifest[0] == {"file": "set/0.wav", "offset_samples": 100, "length_samples": 100, **drawn}
    assert len(drawn["checksum"]) == 16
    assert manifest[1]["offset_samples"] == 300


def test_hash_depends_on_everything_that_defines_the_pairs():
    manifest = pairs(Noises(500)).manifest()
    hashes = {
        hash_manifest(manifest, "Noise(5)", 8000, 1),
        hash_manifest(manifest, "Noise(6)", 8000, 1),
        hash_manifest(manifest, "Noise(5)", 16000, 1),
        hash_manifest(manifest, "Noise(5)", 8000, 2),
        hash_manifest(manifest[:1], "Noise(5)", 8000, 1),
    }
    assert len(hashes) == 5
    assert hash_manifest(pairs(Noises(500)).manifest(), "Noise(5)", 8000, 1) in hashes


def test_no_example_at_all_is_one_sentence():
    with pytest.raises(
        ValueError, match=r"split 'test' gives no evaluation example: 1 of 2 .* data.window_samples=50 at 8000 Hz"
    ):
        pairs(Noises(20, 200, silent=[1]), "test")


def test_impossible_rules_are_refused():
    with pytest.raises(ValueError, match="data.eval_seconds and data.eval_windows must be above 0"):
        EvalRules(0, 5, 1)


def test_the_limit_that_excludes_recordings_is_named():
    with pytest.raises(ValueError, match=r"1 of 1 .* shorter than data\.eval_seconds \(here 100 samples\) at 8000 Hz"):
        pairs(Noises(20), rules=EvalRules(100, 500, 2))


def test_other_recordings_do_not_change_the_noise_of_a_pair():
    alone, beside_silence = pairs(Noises(1000, 500)), pairs(Noises(1000, 500, silent=[0]))
    assert [window for window in alone.manifest() if window["file"] == "set/1.wav"] == beside_silence.manifest()
    assert torch.equal(alone[2]["corrupted"], beside_silence[0]["corrupted"])


def test_checksum_tells_audio_apart_but_not_its_storage():
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, 8000)).astype(np.float32)
    stored = np.rint(audio * 32768) / 32768
    resampled_elsewhere = audio + 1e-7 * np.random.default_rng(1).standard_normal(audio.shape)
    assert checksum(audio) == checksum(stored) == checksum(resampled_elsewhere)
    others = [0.99 * audio, audio[:, ::-1], audio[::-1], np.roll(audio, 400, axis=1), audio[:1]]
    assert len({checksum(other) for other in [audio, *others]}) == 6


@pytest.mark.parametrize("length", [1, 5, 17])
def test_checksum_of_tiny_windows(length):
    assert checksum(np.full((1, length), 0.1)) != checksum(np.full((1, length), 0.2))


class Offset(Noises):
    def __init__(self, offset):
        super().__init__(100_000)
        self._offset = np.float32(offset)

    def read(self, index, start, count):
        return super().read(index, start, count) + self._offset


@pytest.mark.parametrize("offset", [0.0, 0.001, 0.009])
def test_a_mean_that_does_not_count_is_not_in_the_manifest(offset):
    assert all("mean" not in window for window in pairs(Offset(offset), rules=EvalRules(40_000, 50, 2)).manifest())


def test_a_mean_that_changes_the_pair_changes_the_manifest():
    windows = pairs(Offset(0.5), rules=EvalRules(40_000, 50, 2)).manifest()
    assert [window["mean"][0] for window in windows] == [pytest.approx(2048, abs=6)] * 2


def test_part_of_a_file_is_in_the_manifest_and_offsets_are_those_of_the_file():
    recordings = Noises(1000)
    recordings.recordings = [Recording("/data/set/0.wav", 1.0, "val", "0", part_samples=(5000, 1000))]
    whole, part = pairs(Noises(1000)).manifest(), pairs(recordings).manifest()
    assert [window["offset_samples"] for window in part] == [window["offset_samples"] + 5000 for window in whole]
    assert all(window["part_samples"] == (5000, 1000) for window in part)
    assert not any("part_samples" in window for window in whole)


def test_names_in_the_manifest_are_composed():
    recordings = Noises(1000)
    recordings.recordings = [Recording("/data/e\u0301.wav", 1.0, "val", "0")]
    assert pairs(recordings).manifest()[0]["file"] == "\u00e9.wav"
