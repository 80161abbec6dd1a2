"""Equal content is recognized whatever is around it, and stays in one split."""

import logging
import shutil
from dataclasses import replace

import numpy as np
import pytest
import soundfile

from datamodules.duplicates import equal_recordings, keep_together
from datamodules.sources import Recording
from datamodules.splits import split_groups

NOISE = np.rint(0.1 * np.random.default_rng(0).standard_normal((40_000, 2)) * 32768) / 32768


def recording(path, split="train", by_hash=True):
    info = soundfile.info(path)
    return Recording(str(path), info.frames / info.samplerate, split, path.name, by_hash)


@pytest.fixture
def write(tmp_path):
    def write(name, audio=NOISE, rate=8000, title=None, **options):
        with soundfile.SoundFile(tmp_path / name, "w", rate, audio.shape[1], **options) as file:
            if title:
                file.title = title
            file.write(audio)
        return tmp_path / name

    return write


def test_names_containers_tags_and_sample_formats_do_not_matter(write, tmp_path):
    paths = [write("a.wav"), write("b.flac", title="song"), write("c.aiff", subtype="PCM_24"), write("d.w64", subtype="FLOAT")]
    paths.append(tmp_path / "e.flac")
    shutil.copy(paths[1], paths[4])
    (equal,) = equal_recordings([recording(path) for path in paths])
    assert len(equal) == 5


def test_tags_of_lossy_files_do_not_matter(write):
    paths = [write(name, title=title, subtype="VORBIS") for name, title in (("a.ogg", "short"), ("b.ogg", "much longer"))]
    assert len(equal_recordings([recording(path) for path in paths])) == 1


def test_channels_that_say_the_same_count_as_one(write):
    mono, late = NOISE[:, :1], np.repeat(NOISE[:, :1], 2, axis=1)
    late[-1, 1] = 0
    paths = [write("mono.wav", mono), write("both.flac", np.repeat(mono, 2, axis=1)), write("late.wav", late)]
    (equal,) = equal_recordings([recording(path) for path in paths])
    assert [item.path for item in equal] == [str(path) for path in paths[:2]]


def test_other_content_is_not_equal(write):
    late = NOISE.copy()
    late[-1] += 2 / 32768
    others = [late, NOISE[:, ::-1], NOISE[:, :1], 0.5 * NOISE, NOISE[:-1], NOISE[::-1]]
    paths = [write("a.wav"), write("lossy.ogg", subtype="VORBIS"), write("fast.wav", NOISE, 16_000)]
    paths += [write(f"{number}.wav", audio) for number, audio in enumerate(others)]
    assert equal_recordings([recording(path) for path in paths]) == []


def test_damaged_files_are_equal_to_none(write):
    paths = [write("a.flac"), write("b.flac")]
    recordings = [recording(path) for path in paths]
    for path in paths:
        path.write_bytes(path.read_bytes()[:20_000])
    assert equal_recordings(recordings) == []


def test_groups_of_copies_become_one_and_one_line_tells(write, caplog):
    others = [write(f"{number}.wav", np.roll(NOISE, number + 1, axis=0)) for number in range(9)]
    copies = [write(f"copy{number}.{kind}") for number, kind in enumerate(["wav", "flac", "wav", "aiff"])]
    listed = [recording(path) for path in [*others, *copies]]
    splits = split_groups(item.group for item in listed)
    listed = [replace(item, split=splits[item.group]) for item in listed]
    assert len({item.split for item in listed[9:]}) > 1
    with caplog.at_level(logging.WARNING):
        kept = keep_together(listed)
    assert [item.path for item in kept] == [item.path for item in listed]
    assert len({(item.split, item.group) for item in kept[9:]}) == 1
    assert {item.split for item in kept} == {"train", "val", "test"}
    (line,) = caplog.messages
    assert line.startswith("3 of 13 recordings are copies of others (e.g. ")
    assert line.endswith("0 of other splits are left out; data.allow_duplicates=true uses all as they are")


def test_recordings_of_a_group_follow_its_copy(write):
    listed = [recording(write(name)) for name in ("a.wav", "b.wav")]
    listed.append(replace(recording(write("c.wav", NOISE[::-1])), group="b.wav"))
    assert len({item.group for item in keep_together(listed)}) == 1


def test_official_splits_stay_and_the_copy_that_is_held_out_most_wins(write):
    listed = [
        recording(write("a.wav"), "train", False),
        recording(write("b.flac"), "test", False),
        recording(write("c.wav"), "val", False),
        recording(write("d.wav"), "val"),
        recording(write("e.wav", NOISE[::-1]), "train", False),
    ]
    assert [item.path[-6:] for item in keep_together(listed)] == ["b.flac", "/e.wav"]


def test_without_copies_nothing_changes_and_nothing_is_said(write, caplog):
    listed = [recording(write(f"{number}.wav", np.roll(NOISE, number, axis=0))) for number in range(3)]
    assert keep_together(listed) == listed
    assert not caplog.messages
