"""The tables of the cards of shipped models: commands that the project takes, and made-up results beside their controls."""

import json
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from benchmarks.model_cards import attributions
from benchmarks.model_cards.__main__ import main
from benchmarks.model_cards.jobs import evaluation, jobs_of
from benchmarks.model_cards.rows import CARDS
from benchmarks.model_cards.tables import lines_of
from benchmarks.results_grid.jobs import Place
from conf.compose import plain
from conf.null_choices import with_null_choices
from conf.schema.check import check_evaluate

NAME = "denoise_music"
ROWS = [("train", "cc0"), ("val", "cc-by"), ("test", "cc0"), ("train", "cc-by-nc"), ("train", "")]
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]


def scores(kind: str, value: float) -> dict[str, Any]:
    return {"kind": kind, "changed_share": 1.0, "si_sdr_db": value, "lsd": 3.0 - value / 10}


def write(folder: Path, label: str, learned: float, seen: bool) -> None:
    methods = {"corrupted": scores("corrupted", 5.0), "wiener": scores("classical", 9.0), NAME: scores("learned", learned)}
    condition = {"label": label, "seen": seen, "manifest_hash": "a", "pairs": 20, "methods": methods}
    folder.mkdir(parents=True)
    (folder / "conditions.json").write_text(json.dumps({"conditions": [condition]}), encoding="utf-8")


def test_card_has_a_row_a_condition_and_bold_only_what_beats_the_control(tmp_path: Path) -> None:
    place = Place(tmp_path / "audio", tmp_path / "work")
    write(evaluation(NAME, "colors", place).folder, "colors=white, snr_db=5 dB", 12.0, True)
    write(evaluation(NAME, "recorded", place).folder, "snr_db=5 dB", 4.0, False)
    lines = lines_of(NAME, place)
    assert lines[:3] == [f"# {NAME}", "", "### Music in noise of three colors"]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    heads = ["condition", *(f"{metric}: {label}" for metric in ("SI-SDR", "LSD") for label in ("input", "wiener", NAME))]
    assert rows[0] == heads and rows[2] == heads
    assert rows[1] == ["white 5 dB, seen", "5.00", "9.00 •", "**12.00**", "2.50", "2.10 •", "**1.80**"]
    assert rows[3] == ["5 dB, unseen", "5.00", "9.00 •", "4.00 ▼", "2.50", "2.10 •", "2.60 ▼"]
    assert len(rows) == 4  # nothing of tables whose evaluation is missing


def test_of_several_controls_the_best_is_shown_with_its_name(tmp_path: Path) -> None:
    place = Place(tmp_path / "audio", tmp_path / "work")
    controls = {"noise_fill": 1.8, "sinc": 2.7, "cubic_spline": 2.6}
    bands = {"lsd_hf60": 1.0, "mel_hf": 1.0, "snr_lf_db": 20.0}
    methods = {"corrupted": ("corrupted", 3.0), **{label: ("classical", lsd) for label, lsd in controls.items()}}
    methods["extend_music"] = ("learned", 1.2)
    rows = {
        label: {"kind": kind, "changed_share": 1.0, "lsd": lsd, "partials_db": None, **bands}
        for label, (kind, lsd) in methods.items()
    }
    folder = evaluation("extend_music", "rates", place).folder
    folder.mkdir(parents=True)
    condition = {"label": "low_rate_hz=8000 Hz", "seen": True, "pairs": 8, "methods": rows}
    (folder / "conditions.json").write_text(json.dumps({"conditions": [condition]}), encoding="utf-8")
    head, _, line = [line for line in lines_of("extend_music", place) if line.startswith("|")]
    assert head.startswith("| condition | LSD: input | LSD: best control | LSD: extend_music | LSD-HF60: input |")
    assert line.startswith("| 8000 Hz, seen | 3.00 | 1.80 • (noise_fill) | **1.20** | 1.00 • | 1.00 (noise_fill) | 1.00 |")


def test_attributions_are_of_what_the_training_took_and_may_take(tmp_path: Path) -> None:
    for folder in ("music", "more/music", "speech", "more/speech", "more/noise"):
        lines = ["file,split,license_id,licence,attribution,source_repo,duration_s"]
        lines += [f"{n}.flac,{split},{free},L,Who of {folder},R,60" for n, (split, free) in enumerate(ROWS)]
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "MANIFEST.csv").write_text("\n".join(lines), encoding="utf-8")
    table = attributions.lines_of(NAME, tmp_path)
    assert len(table) == 2 + 5
    assert "| music | R | Who of music | L | 2 | 2.0 |" in table


@pytest.mark.parametrize("name", CARDS)
def test_evaluations_behind_a_card_are_such_as_the_project_takes(name: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "audio", tmp_path / "work")
    for job in jobs_of([name], place):
        script, model, *arguments = job.arguments
        assert (script, model) == ("evaluate.py", f"model={name}")
        with initialize_config_module("conf"):
            given = with_null_choices([*arguments, "checkpoint=a", *NAMES])
            check_evaluate(plain(compose("evaluate", [one for one in given if not one.startswith("hydra.")])))


def test_probes_are_asked_for_once_and_in_all_other_tables_left_out(tmp_path: Path) -> None:
    place = Place(tmp_path / "audio", tmp_path / "work")
    asked = {short for short in CARDS[NAME].checks if "test_probes=[]" not in evaluation(NAME, short, place).arguments}
    assert asked == {"harm"}


def test_probes_stand_in_a_table_of_their_own(tmp_path: Path) -> None:
    place = Place(tmp_path / "audio", tmp_path / "work")
    folder = evaluation(NAME, "harm", place).folder
    folder.mkdir(parents=True)
    methods = {"corrupted": scores("corrupted", 10.0) | {"noharm_db": 100.0}, NAME: scores("learned", 18.0) | {"noharm_db": 47.5}}
    (folder / "result.json").write_text(json.dumps({"methods": methods, "pairs": 16}), encoding="utf-8")
    assert lines_of(NAME, place)[-2] == "| 10 dB | 100.00 • | 47.50 ▼ | – | – | – | – |"


def test_commands_are_printed_and_none_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "work"), "--dry-run", "--only", NAME]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CARDS[NAME].checks) and not (tmp_path / "work").exists()
    assert f"corruption.noise_root={tmp_path}/noise" in lines[1]
