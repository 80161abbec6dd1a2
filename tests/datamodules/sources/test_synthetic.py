import collections
import os

import numpy as np
import pytest
import soundfile
import torch

from datamodules.sources.synthetic import SyntheticSource


def small(root, **changes):
    return SyntheticSource(str(root), **{"sample_rate": 8000, "recordings": 4, "seconds": 1.0, **changes})


def test_same_parameters_render_the_same_music(tmp_path):
    first, second = (small(tmp_path / place).recordings() for place in "ab")
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(soundfile.read(one.path)[0], soundfile.read(other.path)[0])


def test_pieces_and_render_seeds_differ(tmp_path):
    source, other = small(tmp_path), small(tmp_path, render_seed=1)
    assert not torch.equal(source.render(0), source.render(1))
    assert not torch.equal(source.render(0), other.render(0))
    assert source.root != other.root


def test_a_second_listing_renders_only_what_is_missing(tmp_path):
    recordings = small(tmp_path).recordings()
    os.utime(recordings[1].path, (1, 1))
    os.unlink(recordings[0].path)
    assert small(tmp_path).recordings() == recordings
    assert os.path.exists(recordings[0].path)
    assert os.stat(recordings[1].path).st_mtime == 1


def test_every_split_has_a_tenth_and_at_least_one_piece(tmp_path):
    for count, expected in ((3, (1, 1, 1)), (20, (16, 2, 2))):
        recordings = small(tmp_path, recordings=count, seconds=0.1).recordings()
        counts = collections.Counter(recording.split for recording in recordings)
        assert (counts["train"], counts["val"], counts["test"]) == expected


def test_level_and_noise_floor_are_those_of_a_recording(tmp_path):
    source = small(tmp_path, seconds=3.0)
    for index in range(4):
        audio = source.render(index)
        assert audio.isfinite().all()
        assert -12.01 <= 20 * torch.log10(audio.abs().max()) <= -2.99
        assert 1e-5 < audio.square().mean().sqrt() < 0.3


def test_impossible_parameters_are_refused(tmp_path):
    with pytest.raises(ValueError, match="data.recordings=2 is too few"):
        small(tmp_path, recordings=2)
    with pytest.raises(ValueError, match="data.seconds=0 must be above 0"):
        small(tmp_path, seconds=0)
