"""Sentences about many files stay few, and each says what a person has to know."""

from pathlib import Path

import numpy as np

from datamodules.audio.checks import AudioFileError, UnreadFormatError
from datamodules.audio.clipping import Clipping
from datamodules.audio.forms import same_form
from datamodules.audio.info import AudioInfo
from datamodules.audio.notes import clipping_lines, narrow_lines, skipped_lines
from datamodules.audio.tree import RestoreJob


def jobs(rate_hz: int, *names: str) -> list[RestoreJob]:
    infos = [AudioInfo(Path(name), rate_hz, 1, 100, "WAV", "PCM_16") for name in names]
    return [RestoreJob(info, Path("out") / info.path, same_form(info), range(info.frames)) for info in infos]


def test_band_above_the_method_is_named_once_a_rate() -> None:
    many = jobs(44100, *(f"{number}.wav" for number in range(1000)))
    lines = narrow_lines([*jobs(16000, "same.wav"), *jobs(48000, "one.wav"), *many], lambda rate_hz: 16000)
    kept = "everything above 8 kHz stays as it was, because the method works at 16 kHz"
    assert lines == [
        f"note: 0.wav, 1.wav, 2.wav, 3.wav, 4.wav and 995 more at 44.1 kHz: {kept}",
        f"note: one.wav at 48 kHz: {kept}",
    ]


def test_method_that_takes_any_rate_keeps_nothing() -> None:
    assert narrow_lines(jobs(44100, "a.wav"), lambda rate_hz: rate_hz) == []
    assert narrow_lines(jobs(8000, "a.wav"), lambda rate_hz: 22050) == []


def test_unread_files_are_named_up_to_a_handful_and_counted() -> None:
    unread = [UnreadFormatError(Path("in") / f"{number}.{'m4a' if number % 2 else 'wv'}") for number in range(9)]
    lines = skipped_lines([AudioFileError("x.wav", "is an empty file"), *unread], ["in"])
    assert lines[0] == "skipped x.wav: is an empty file"
    assert [line.split(": ")[0] for line in lines[1:6]] == [f"skipped in/{n}" for n in ("0.wv", "1.m4a", "2.wv", "3.m4a", "4.wv")]
    assert lines[6:] == ["skipped 4 more files of formats that are not read (2 .m4a, 2 .wv)"]


def test_unread_files_of_the_command_line_are_all_named_with_what_is_read() -> None:
    given = [f"{number}.m4a" for number in range(9)]
    lines = skipped_lines([UnreadFormatError(name) for name in given], given)
    assert len(lines) == 9
    remedy = "pip install '.[codecs]' to read them, or convert it to .wav, .flac, .mp3, .ogg, .opus or .aiff first"
    assert lines[8] == f"skipped 8.m4a: .m4a files are not read; {remedy}"


def test_clipping_is_told_with_count_share_and_excess() -> None:
    clipping = Clipping("PCM_16")
    assert clipping_lines(Path("a.wav"), clipping) == []
    clipping.watch(np.concatenate([np.full((1, 3), 2.0), np.zeros((1, 197))], axis=1))
    (line,) = clipping_lines(Path("a.wav"), clipping)
    assert line.startswith("note: a.wav: 3 of 200 samples (1.5 %) clipped, the peak exceeded full scale by 6.0 dB; ")


def test_small_excess_is_not_told_as_none() -> None:
    clipping = Clipping("PCM_16")
    clipping.watch(np.concatenate([np.full((1, 1), 1.0001), np.zeros((1, 99999))], axis=1))
    (line,) = clipping_lines(Path("a.wav"), clipping)
    assert "1 of 100000 samples (less than 0.01 %) clipped, the peak exceeded full scale by less than 0.1 dB" in line
