"""Partners are found by name, whatever encodes it, and every file without exactly one is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from datamodules.duplicates import keep_together
from datamodules.sources.paired import PairedSource

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(name: str, seed: int = 0) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, 0.1 * np.random.default_rng(seed).standard_normal(800), 8000)
        return path

    return make


def source(root: Path) -> PairedSource:
    return PairedSource(str(root / "clean"), str(root / "noisy"))


def test_partners_share_a_name_but_not_its_encoding_or_suffix(write: Write, tmp_path: Path) -> None:
    for clean, noisy in (("a/1.wav", "a/1.flac"), ("b/caf\u00e9.wav", "b/cafe\u0301.wav"), ("c/v1.2.wav", "c/v1.2.aiff")):
        write(f"clean/{clean}"), write(f"noisy/{noisy}")
    listed = source(tmp_path).recordings()
    partners = [Path(str(item.corrupted)).relative_to(tmp_path / "noisy").as_posix() for item in listed]
    assert partners == ["a/1.flac", "b/cafe\u0301.wav", "c/v1.2.aiff"]


def test_files_without_exactly_one_partner_are_named_and_the_rest_goes_on(write: Write, tmp_path: Path) -> None:
    for name in ("clean/good.wav", "noisy/good.wav", "clean/alone.wav", "noisy/odd.wav", "noisy/x/good.wav"):
        write(name)
    for name in ("clean/two.wav", "noisy/two.wav", "noisy/two.flac"):
        write(name)
    pairs = source(tmp_path)
    assert [Path(item.path).name for item in pairs.recordings()] == ["good.wav"]
    told = "\n".join(pairs.skipped)
    for name, why in (("clean/alone.wav", "no partner"), ("clean/two.wav", "1 clean files and 2 partners")):
        assert f"{tmp_path / name}: {why} {tmp_path / 'noisy' / Path(name).stem}.*; give it exactly one" in told
    for name in ("noisy/odd.wav", "noisy/x/good.wav"):
        assert f"{tmp_path / name}: no usable clean partner" in told
    assert len(pairs.skipped) == 4


def test_splits_are_those_of_the_clean_folder(write: Write, tmp_path: Path) -> None:
    for number in range(3):
        write(f"clean/{number}.wav"), write(f"noisy/{number}.wav")
    (tmp_path / "clean" / "MANIFEST.csv").write_text(
        "file,split,group\n0.wav,test,p1\n1.wav,train,p2\n2.wav,val,p3\n", encoding="utf-8"
    )
    assert [(item.split, item.group) for item in source(tmp_path).recordings()] == [
        ("test", "p1"),
        ("train", "p2"),
        ("val", "p3"),
    ]


@pytest.mark.parametrize("side", ["clean", "noisy"])
def test_equal_content_of_either_side_is_used_in_one_split_only(write: Write, tmp_path: Path, side: str, caplog) -> None:
    for number, name in enumerate(("train/1.wav", "train/2.wav", "test/9.wav")):
        write(f"clean/{name}", number), write(f"noisy/{name}", 10 + number)
    shutil.copy(tmp_path / side / "train" / "1.wav", tmp_path / side / "test" / "9.wav")
    table = "file,split\ntrain/1.wav,train\ntrain/2.wav,train\ntest/9.wav,test\n"
    (tmp_path / "clean" / "MANIFEST.csv").write_text(table, encoding="utf-8")
    kept = keep_together(source(tmp_path).recordings())
    assert [Path(item.path).name for item in kept] == ["9.wav", "2.wav"]
    (line,) = caplog.messages
    assert line.startswith("1 of 3 recordings are copies of others")


def test_folders_that_cannot_be_used_are_told_with_their_key(write: Write, tmp_path: Path) -> None:
    write("clean/a.wav")
    with pytest.raises(ValueError, match=r"data\.noisy_root=.*/noisy is not a folder"):
        source(tmp_path).recordings()
    write("noisy/b.wav")
    with pytest.raises(ValueError, match=r"none of the 1 recordings in data\.clean_root=.* has a partner in data\.noisy_root="):
        source(tmp_path).recordings()
    with pytest.raises(ValueError, match=r"data\.noisy_root=.*/clean is data\.clean_root"):
        PairedSource(str(tmp_path / "clean"), str(tmp_path / "clean")).recordings()
