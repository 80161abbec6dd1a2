"""A key that was given and changes nothing is told in a line; one that matters is not."""

import logging

import pytest
import soundfile

from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.noise import Noise
from datamodules.restoration import RestorationDataModule
from datamodules.sources.folder import FolderSource
from datamodules.sources.voicebank import VoiceBankSource
from tests.conftest import RATE_HZ, tone

LIMITED = Bandwidth(2000)


def told(caplog, source=None, corruption=None, **options):
    """Return the lines that building a data module tells."""
    with caplog.at_level(logging.WARNING, "datamodules"):
        RestorationDataModule(source or FolderSource("music"), corruption or Noise(snr_db=5.0), 4000, **options)
    return caplog.messages


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"allow_duplicates": True, "split": "time"}, ("data.allow_duplicates has no effect", "data.split=time")),
        ({"cache_dtype": "float32", "cache": False}, ("data.cache_dtype has no effect", "data.cache=true")),
        ({"narrow_targets": True}, ("data.narrow_targets has no effect", "data.corruption")),
        (
            {"source": VoiceBankSource("speech", validation_speakers=["p226"]), "split": "time"},
            ("data.validation_speakers has no effect", "data.split=time"),
        ),
    ],
)
def test_a_key_without_effect_is_told_with_the_key_that_takes_it(options, words, caplog):
    lines = told(caplog, **options)
    assert len(lines) == 1
    assert all(word in lines[0] for word in words)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"split": "time"},
        {"allow_duplicates": True},
        {"cache": False},
        {"cache_dtype": "float32"},
        {"narrow_targets": True, "corruption": LIMITED},
        {"source": VoiceBankSource("speech", validation_speakers=["p226"])},
    ],
)
def test_a_key_that_matters_is_not_told(options, caplog):
    assert told(caplog, **options) == []


def test_copies_are_cut_at_the_same_moments_whatever_the_key_says(tmp_path):
    for name in ("one.wav", "other.wav"):
        soundfile.write(tmp_path / name, tone(0, 6.0), RATE_HZ, subtype="FLOAT")
    options = {"window_samples": 512, "eval_seconds": 0.2, "cache": False, "split": "time", "silence_db": None}
    for allowed in (False, True):
        data = RestorationDataModule(FolderSource(str(tmp_path)), Noise(), RATE_HZ, allow_duplicates=allowed, **options)
        of_copies = [
            [item["offset_samples"] for item in data.manifest("test") if item["file"] == name]
            for name in ("one.wav", "other.wav")
        ]
        assert of_copies[0] == of_copies[1] != []
