"""What a run leaves behind can be read back, and the table never flatters."""

import csv
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from lightning_modules.evaluation import Example, Scores
from lightning_modules.metric_names import HIGHER_IS_BETTER
from lightning_modules.results import (
    flat_metrics,
    git_commit,
    render_table,
    verdict,
    write_examples,
    write_rows,
)

CORRUPTED = Scores("corrupted", "corrupted", {"snr_db": 5.0, "lsd": 2.0})
WIENER = Scores("wiener", "classical", {"snr_db": 9.0, "lsd": 3.0})


def learned(snr_db: float, lsd: float) -> Scores:
    return Scores("unet", "learned", {"snr_db": snr_db, "lsd": lsd})


def test_verdict_needs_the_input_and_the_classical_method_beaten() -> None:
    assert verdict([CORRUPTED, WIENER, learned(10.0, 1.0)], "snr_db") == "✓ unet beats corrupted and wiener in snr_db"
    assert verdict([CORRUPTED, WIENER, learned(8.0, 1.0)], "snr_db").startswith("✗ unet does not beat wiener in snr_db")
    assert verdict([CORRUPTED, WIENER, learned(4.0, 1.0)], "snr_db").startswith("✗ unet does not beat corrupted and wiener")


def test_verdict_turns_round_where_lower_is_better() -> None:
    assert verdict([CORRUPTED, WIENER, learned(9.5, 1.9)], "lsd").startswith("✓")
    assert verdict([CORRUPTED, WIENER, learned(9.5, 2.5)], "lsd").startswith("✗ unet does not beat corrupted in lsd")


def test_equal_is_not_beaten() -> None:
    assert verdict([CORRUPTED, learned(5.0, 2.0)], "snr_db").startswith("✗")


def test_values_below_the_input_are_marked_in_every_line() -> None:
    columns = render_table([CORRUPTED, WIENER, learned(4.0, 1.0)]).columns
    assert [[cell.strip() for cell in column.cells] for column in columns] == [
        ["snr_db ↑", "lsd ↓"],
        ["5.00", "2.00"],
        ["9.00", "3.00 ▼"],
        ["4.00 ▼", "1.00"],
    ]


def test_table_of_all_metrics_and_methods_is_whole_on_80_columns() -> None:
    means = dict.fromkeys(HIGHER_IS_BETTER, 12.345)
    names = ("corrupted", "wiener", "sinc", "cubic_spline", "noise_fill", "unet_small")
    text = io.StringIO()
    Console(file=text, width=80).print(render_table([Scores(name, "classical", means) for name in names]))
    for word in (*names, *HIGHER_IS_BETTER):
        assert word in text.getvalue()
    assert text.getvalue().count("12.3") == len(names) * len(means)


def test_method_of_a_long_name_is_told_from_itself_after_other_steps_on_80_columns() -> None:
    run = "collaborative_gan_small-super_resolution-20260101-101500"
    names, means = ("corrupted", "noise_fill", f"{run}@0", f"{run}@12", run), dict.fromkeys(HIGHER_IS_BETTER, 12.345)
    text = io.StringIO()
    Console(file=text, width=80).print(render_table([Scores(name, "classical", means) for name in names]))
    assert "…" not in text.getvalue()
    assert "@12" in "".join(text.getvalue().split())
    assert text.getvalue().count("12.3") == len(names) * len(means)


def test_oracle_is_a_bound_and_not_a_rival() -> None:
    oracle = Scores("wiener_oracle", "oracle", {"snr_db": 20.0, "lsd": 0.5})
    assert verdict([CORRUPTED, oracle, learned(9.5, 1.0)], "snr_db") == "✓ unet beats corrupted in snr_db"


def test_method_after_other_numbers_of_steps_is_no_rival() -> None:
    stopped = Scores("unet@4", "learned", {"snr_db": 11.0, "lsd": 0.5})
    assert verdict([CORRUPTED, WIENER, stopped, learned(10.0, 1.0)], "snr_db") == "✓ unet beats corrupted and wiener in snr_db"


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
    with (tmp_path / "rows.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [{"file": "b, c.wav", "offset_samples": "7", "index": "1", "snr_db": "3.5"}]


def test_examples_share_one_gain_and_none_clips(tmp_path: Path) -> None:
    written: dict[str, np.ndarray] = {}
    ramp = torch.linspace(-1, 1, 2048)[None]
    example = Example(3, corrupted=2 * ramp, restored=ramp, clean=ramp / 2)
    paths = write_examples(tmp_path, [example], 16000, lambda path, audio, rate: written.update({path.stem: audio}))
    peaks = {name: np.abs(audio).max() for name, audio in written.items()}
    assert peaks == pytest.approx({"0003_corrupted": 1.0, "0003_restored": 0.5, "0003_clean": 0.25})
    assert paths[0]["spectrogram"].read_bytes().startswith(b"\x89PNG")


def test_example_of_silence_is_written(tmp_path: Path) -> None:
    silence = torch.zeros(1, 2048)
    assert write_examples(tmp_path, [Example(0, silence, silence, silence)], 16000, lambda *_: None)


def test_commit_outside_a_checkout_is_unknown(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
