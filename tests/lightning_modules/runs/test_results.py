"""What a run leaves behind can be read back."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch

from lightning_modules.runs.evaluation import Example, Scores
from lightning_modules.runs.made_with import git_commit
from lightning_modules.runs.results import draw_example, flat_metrics, write_example, write_rows

CORRUPTED = Scores("corrupted", "corrupted", {"snr_db": 5.0, "lsd": 2.0})
WIENER = Scores("wiener", "classical", {"snr_db": 9.0, "lsd": 3.0})


def learned(snr_db: float, lsd: float) -> Scores:
    return Scores("unet", "learned", {"snr_db": snr_db, "lsd": lsd})


def test_flat_metrics_name_the_method_and_its_input() -> None:
    assert flat_metrics([CORRUPTED, WIENER, learned(10.0, 1.0)]) == {
        "test/snr_db": 10.0,
        "test/lsd": 1.0,
        "test/corrupted_snr_db": 5.0,
        "test/corrupted_lsd": 2.0,
    }


def test_rows_carry_the_place_of_their_pair(tmp_path: Path) -> None:
    manifest = [{"file": "a.wav", "offset_samples": 0}, {"file": "b, c.wav", "offset_samples": 7}]
    write_rows(tmp_path / "rows.csv", [{"index": 1, "snr_db": 3.5}], manifest)
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == [{"file": "b, c.wav", "offset_samples": "7", "index": "1", "snr_db": "3.5"}]


def test_rows_may_tell_of_their_pairs_what_others_do_not(tmp_path: Path) -> None:
    manifest = [{"file": "a.wav", "seed": 1}, {"file": "b.wav", "seed": 2, "mean": [12]}]
    write_rows(tmp_path / "rows.csv", [{"index": 0, "snr_db": 3.5}, {"index": 1, "snr_db": 4.5}], manifest)
    with (tmp_path / "rows.csv").open(newline="", encoding="utf-8") as file:
        assert [(line["file"], line["mean"], line["snr_db"]) for line in csv.DictReader(file)] == [
            ("a.wav", "", "3.5"),
            ("b.wav", "[12]", "4.5"),
        ]


def test_examples_share_one_gain_and_none_clips(tmp_path: Path) -> None:
    written: dict[str, np.ndarray] = {}
    ramp = torch.linspace(-1, 1, 2048)[None]
    example = Example(3, corrupted=2 * ramp, restored=ramp, clean=ramp / 2, controls={"wiener": ramp})
    paths = write_example(tmp_path, example, 16000, lambda path, audio, rate: written.update({path.stem: audio}))
    peaks = {name: np.abs(audio).max() for name, audio in written.items()}
    assert peaks == pytest.approx({"0003_corrupted": 1.0, "0003_restored": 0.5, "0003_clean": 0.25, "0003_control_wiener": 0.5})
    assert {path.stem for path in paths.values()} == set(written)
    assert draw_example(tmp_path, example, 16000, "song").read_bytes().startswith(b"\x89PNG")


def test_example_of_silence_is_written(tmp_path: Path) -> None:
    silence = torch.zeros(1, 2048)
    example = Example(0, silence, silence, silence)
    assert write_example(tmp_path, example, 16000, lambda *_: None)
    assert draw_example(tmp_path, example, 16000, "song").is_file()


def test_commit_outside_a_checkout_is_unknown(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
