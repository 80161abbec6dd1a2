"""Every method can be heard on every example, at one loudness, from files that name nobody."""

import base64
import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sweeps.report import clips
from sweeps.report.clips import ANCHOR, CLEAN, Clip, all_clips, anchor, collect_examples, rounded_gain
from sweeps.report.loudness import loudness_lufs
from sweeps.report.methods import build_methods
from sweeps.report.runs import find_runs

Make = Callable[..., Path]


def decoded(clip: Clip) -> np.ndarray:
    return soundfile.read(io.BytesIO(base64.b64decode(clip.content)), dtype="float32", always_2d=True)[0].T


def test_examples_hold_all_versions_at_one_loudness(make_run: Make, tmp_path: Path) -> None:
    make_run("a", lr=1, examples=2)
    make_run("b", lr=2, examples=1)
    methods, _ = build_methods(find_runs([tmp_path / "runs"])[0])
    examples, notes = collect_examples(methods)
    ids = [method.id for method in methods if method.runs]
    assert notes == []
    assert [set(example.clips) for example in examples] == [
        {"corrupted", CLEAN, ANCHOR, *ids},
        {"corrupted", CLEAN, ANCHOR, ids[0]},
    ]
    example = examples[0]
    heard = [loudness_lufs(decoded(clip) * rounded_gain(example.gains_db[name]), 8000) for name, clip in example.clips.items()]
    assert heard == pytest.approx([heard[0]] * len(heard), abs=0.1)
    assert (example.file, example.clips[CLEAN].seconds, example.clips[CLEAN].rate_hz) == ("0.flac", 1.0, 8000)


def test_clips_are_stored_once_under_names_that_tell_nothing(make_run: Make, tmp_path: Path) -> None:
    make_run("a", lr=1, examples=1)
    make_run("b", lr=2, examples=1)
    examples, _ = collect_examples(build_methods(find_runs([tmp_path / "runs"])[0])[0])
    names = all_clips(examples)
    assert len(names) == 4  # corrupted, clean, anchor, and one restored version that both runs share
    assert all(len(name) == 12 and set(name) <= set("0123456789abcdef") for name in names)


def test_example_that_cannot_be_read_is_named(make_run: Make, tmp_path: Path) -> None:
    folder = make_run("a", examples=2)
    (folder / "examples" / "0001_restored.flac").write_bytes(b"")
    examples, notes = collect_examples(build_methods(find_runs([tmp_path / "runs"])[0])[0])
    assert [example.index for example in examples] == [0]
    assert notes[0].startswith("example 1 left out: ")


def test_incomplete_example_is_no_example(make_run: Make, tmp_path: Path) -> None:
    folder = make_run("a", examples=1)
    (folder / "examples" / "0000_clean.flac").unlink()
    assert collect_examples(build_methods(find_runs([tmp_path / "runs"])[0])[0]) == ([], [])


def test_anchor_keeps_the_low_band_only() -> None:
    time_s = np.arange(16000) / 16000
    low, high = np.sin(2 * np.pi * 1000 * time_s), np.sin(2 * np.pi * 6000 * time_s)
    kept = anchor(0.4 * (low + high)[None].astype(np.float32), 16000)
    middle = slice(2000, 14000)
    assert kept[0, middle] == pytest.approx(0.4 * low[middle], abs=1e-3)


def test_anchor_of_a_low_rate_is_below_a_quarter_of_it() -> None:
    time_s = np.arange(8000) / 8000
    tone = 0.4 * np.sin(2 * np.pi * 3000 * time_s)[None].astype(np.float32)
    assert np.abs(anchor(tone, 8000)[0, 2000:6000]).max() < 1e-3


def test_best_control_is_heard_beside_the_runs_that_wrote_it(make_run: Make, tmp_path: Path) -> None:
    folder = make_run("a", examples=1)
    for name in ("wiener", "stranger", "unet"):
        shutil.copy(folder / "examples" / "0000_corrupted.flac", folder / "examples" / f"0000_control_{name}.flac")
    examples, problems = collect_examples(build_methods(find_runs([tmp_path / "runs"])[0])[0])
    assert problems == []
    assert {"wiener", "clean", "corrupted"} < set(examples[0].clips)
    assert "stranger" not in examples[0].clips


def test_version_that_says_it_lasts_for_hours_is_named_and_not_decoded(
    make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run("a", examples=1)
    monkeypatch.setattr(clips, "LONGEST_SECONDS", 0.5)
    examples, (problem,) = collect_examples(build_methods(find_runs([tmp_path / "runs"])[0])[0])
    assert examples == []
    assert "0000_corrupted.flac: has 1 s, 8000 samples" in problem


def test_first_methods_of_many_are_heard(make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, lr in (("a", 1), ("b", 2), ("c", 3)):
        make_run(name, lr=lr, examples=1)
    methods, _ = build_methods(find_runs([tmp_path / "runs"])[0])
    monkeypatch.setattr(clips, "MOST_HEARD", 2)
    (example,), notes = collect_examples(methods)
    ids = [method.id for method in methods if method.runs]
    assert set(example.clips) == {"corrupted", CLEAN, ANCHOR, *ids[:2]}
    assert notes == ["of 3 methods the first 2 of the table can be heard"]
