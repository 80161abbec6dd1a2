"""What cannot work stops before training, by key."""

import pytest

from datamodules.restoration import restoration_data
from datamodules.sources.folder import FolderSource
from datamodules.sources.synthetic import SyntheticSource
from tests.datamodules.restoration.conftest import WhiteNoise


def test_a_window_longer_than_every_file_stops_before_training(make):
    with pytest.raises(ValueError, match=r"data.window_samples=100000 is longer than each of the 4 recordings of split 'train'"):
        make(window_samples=100_000).setup("fit")


def test_an_empty_split_stops_before_training(make, root):
    for name in ("test0.flac", "test1.flac"):
        (root / name).unlink()
    with pytest.raises(ValueError, match="split 'test' is empty"):
        make().setup("fit")


@pytest.mark.parametrize(
    ("sample_rate", "wanted"),
    [
        (3999, "a whole number of Hz from 4000 to 200000"),
        (200_010, "a whole number of Hz from 4000 to 200000"),
        (16000.5, "a whole number of Hz from 4000 to 200000"),
        ("44.1k", "a whole number of Hz from 4000 to 200000"),
        (65_537, "a multiple of 10 Hz"),
    ],
)
def test_a_rate_that_not_every_part_has_is_refused(make, sample_rate, wanted):
    with pytest.raises(ValueError, match=rf"data\.sample_rate={sample_rate} must be {wanted}"):
        make(sample_rate=sample_rate)


@pytest.mark.parametrize("sample_rate", [4000, 65_535, 65_540, 200_000])
def test_rates_up_to_the_limits_are_taken(make, sample_rate):
    assert make(sample_rate=sample_rate).sample_rate == sample_rate


@pytest.mark.parametrize("key", ["channels", "batch_size", "samples_per_epoch", "window_samples"])
def test_impossible_numbers_name_their_key(make, key):
    with pytest.raises(ValueError, match=rf"data\.{key}=0 must be at least 1"):
        make(**{key: 0})


def test_options_go_to_whichever_takes_them(tmp_path):
    data = restoration_data(SyntheticSource, root=str(tmp_path), sample_rate=8000, recordings=3, corruption=WhiteNoise(), seed=5)
    assert isinstance(data.source, SyntheticSource)
    assert (data.sample_rate, data.source.sample_rate) == (8000, 8000)


def test_unknown_option_is_refused(tmp_path):
    with pytest.raises(TypeError, match="yeers"):
        restoration_data(FolderSource, root=str(tmp_path), sample_rate=8000, corruption=WhiteNoise(), yeers=[2004])


def test_epoch_without_a_length_needs_a_stride(make):
    with pytest.raises(ValueError, match="data.samples_per_epoch=null needs data.stride_samples"):
        make(samples_per_epoch=None)
