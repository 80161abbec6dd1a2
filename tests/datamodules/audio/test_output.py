"""Files appear complete or not at all, and integers are rounded as they should be."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.audio.checks import AudioFileError
from datamodules.audio.output import OutputError, Target, check_folder, open_output, replaced_when_done, to_written_samples, write


@pytest.mark.parametrize(("bits", "subtype"), [(8, "PCM_U8"), (16, "PCM_16"), (24, "PCM_24"), (16, "ALAC_16")])
def test_integers_are_rounded_to_the_nearest_and_clipped(bits: int, subtype: str) -> None:
    scale = 2.0 ** (bits - 1)
    samples = np.array([0.4, 0.6, -0.6, 1.4, 3 * scale, -3 * scale]) / scale
    written = to_written_samples(samples, subtype) / 2.0 ** (32 - bits)
    assert written.tolist() == [0, 1, -1, 1, scale - 1, -scale]


def test_floats_keep_what_lies_outside_of_full_scale() -> None:
    samples = np.array([-2.5, 0.1, 2.5])
    assert to_written_samples(samples, "FLOAT") is samples
    assert to_written_samples(samples, "ULAW").tolist() == [-1.0, 0.1, 1.0]


def test_file_takes_its_place_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replaced_when_done(path) as temporary:
        temporary.write_text("content", encoding="utf-8")
        assert not path.exists() and temporary.parent == path.parent
    assert [file.name for file in path.parent.iterdir()] == ["a.txt"] and path.read_text(encoding="utf-8") == "content"


def test_failure_keeps_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def fail_half_way() -> None:
        with replaced_when_done(path) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"] and path.read_text(encoding="utf-8") == "old"


def test_blocks_follow_each_other_and_tags_are_written(tmp_path: Path) -> None:
    audio = np.random.default_rng(0).uniform(-1, 1, (2, 1000))
    with open_output(tmp_path / "a.flac", Target("FLAC", "PCM_24", 16000, 2, tags={"title": "Song"})) as put:
        put(audio[:, :300])
        put(audio[:, 300:])
    with soundfile.SoundFile(tmp_path / "a.flac") as file:
        np.testing.assert_allclose(file.read().T, audio, atol=2**-23)
        assert file.title == "Song"


def test_finish_is_called_with_the_complete_file_before_it_takes_its_name(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []

    def finish(path: Path) -> None:
        seen.append((soundfile.info(path).frames, (tmp_path / "a.wav").exists()))

    with open_output(tmp_path / "a.wav", Target("WAV", "PCM_16", 16000, 1, finish=finish)) as put:
        put(np.zeros((1, 123)))
    assert seen == [(123, False)]


def test_unknown_ending_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(AudioFileError, match=r"a.xyz: cannot be written; its name must end in one of .*\.flac.*\.wav"):
        write(tmp_path / "a.xyz", np.zeros((1, 10)), 16000)


def test_folder_is_made_and_tried_out(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file: could not be written"):
        check_folder(tmp_path / "file")
