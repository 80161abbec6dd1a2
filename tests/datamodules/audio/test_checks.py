"""What is wrong with a file is told in a sentence that begins with its path."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.checks import (
    MPEG_SLACK_SAMPLES,
    AudioFileError,
    check_finite,
    named_errors,
    native,
    refuse_short,
    slack_samples,
)


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (FileNotFoundError(2, "No such file or directory"), "no such file or directory"),
        (PermissionError(13, "Permission denied"), "permission denied"),
        (soundfile.LibsndfileError(1, "Error opening 'a.wav': "), "is not an audio file that libsndfile can read"),
        (soundfile.LibsndfileError(1), "is damaged or truncated: it cannot be decoded to its end"),
        (ValueError("channels"), "is not possible as an audio file: channels"),
    ],
)
def test_errors_of_the_system_and_of_libsndfile_become_sentences(raised: Exception, reason: str) -> None:
    with pytest.raises(AudioFileError) as caught, named_errors("folder/a.wav"):
        raise raised
    assert str(caught.value) == f"folder/a.wav: {reason}"
    assert (caught.value.path, caught.value.reason) == (Path("folder/a.wav"), reason)


def test_sentence_that_names_its_file_passes_unchanged() -> None:
    error = AudioFileError("b.wav", "holds no samples")
    with pytest.raises(AudioFileError) as caught, named_errors("a.wav"):
        raise error
    assert caught.value is error


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_one_sample_that_is_not_finite_is_enough(value: float) -> None:
    samples = np.zeros((2, 100), dtype=np.float32)
    check_finite("a.wav", samples)
    samples[1, 99] = value
    with pytest.raises(AudioFileError, match="a.wav: holds NaN or infinite samples"):
        check_finite("a.wav", samples)


def test_file_that_holds_less_than_declared_is_truncated() -> None:
    refuse_short("a.wav", 100, 100, "samples")
    with pytest.raises(AudioFileError, match="a.wav: is truncated: 99 of 100 samples are there"):
        refuse_short("a.wav", 99, 100, "samples")


@pytest.mark.parametrize(("name", "slack"), [("a.wav", 0), ("a.flac", 0), ("a.mp3", MPEG_SLACK_SAMPLES)])
def test_only_mpeg_headers_may_declare_more_than_there_is(tmp_path: Path, name: str, slack: int) -> None:
    soundfile.write(tmp_path / name, np.zeros(5000), 16000)
    with soundfile.SoundFile(tmp_path / name) as file:
        assert slack_samples(file) == slack


def test_name_that_is_no_valid_text_reaches_libsndfile(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.wav"
    soundfile.write(native(path), np.zeros(10), 16000, format="WAV")
    assert soundfile.info(native(path)).frames == 10


def test_sentence_about_a_file_is_one_line_that_no_terminal_obeys() -> None:
    assert str(AudioFileError("a\nb\x1b[31m.wav", "is empty")) == r"a\nb\x1b[31m.wav: is empty"
