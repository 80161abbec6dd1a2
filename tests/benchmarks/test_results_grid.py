"""The grid of results: what is left to do, the tables of made-up results, and the whole chain on a tiny set."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from benchmarks.results_grid.__main__ import main
from benchmarks.results_grid.jobs import Job, Place, Trial, do, evaluation, jobs_of, read, run, training
from benchmarks.results_grid.records import keep_record, take_records
from benchmarks.results_grid.rows import EXPERIMENTS, LITERATURE
from benchmarks.results_grid.tables import table
from datamodules.audio import io as audio_io
from sweeps.extras import SWEEPS

NAME = "denoise_speech_16khz"
INPUT = {"kind": "corrupted", "si_sdr_db": 5.0, "pesq_wb": 1.5, "stoi": 0.8}
WIENER = {"kind": "classical", "changed_share": 1.0, "si_sdr_db": 10.0, "pesq_wb": 1.4, "stoi": 0.9}
ORACLE = {"kind": "oracle", "changed_share": 1.0, "si_sdr_db": 20.0, "pesq_wb": 4.0, "stoi": 0.99}


def learned(si_sdr_db: float) -> dict[str, Any]:
    return {"kind": "learned", "changed_share": 1.0, "si_sdr_db": si_sdr_db, "pesq_wb": 1.45, "stoi": 0.9}


def write(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def write_evaluation(folder: Path, methods: Mapping[str, Any], seen: bool | None, pairs: str = "a") -> None:
    conditions = [
        {"label": f"snr_db={level} dB", "seen": seen, "manifest_hash": f"{pairs}{level}", "pairs": 2, "methods": methods}
        for level in (0, 5, 10)
    ]
    write(folder / "conditions.json", {"conditions": conditions})
    write(folder / "result.json", {"status": "finished", "problems": []})


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Hold controls and two seeds of one learned method."""
    place = Place(tmp_path / "audio", tmp_path / "work")
    folder = place.evaluation(NAME, "controls")
    write_evaluation(folder, {"corrupted": INPUT, "wiener_oracle": ORACLE, "wiener": WIENER}, None)
    (folder / "per_example.csv").write_text("file\nspeech/a.flac\nb.flac\n", encoding="utf-8")
    (place.audio / "speech").mkdir(parents=True)
    (place.audio / "speech" / "MANIFEST.csv").write_text("file,kind\na.flac,real_recording\nb.flac,rendered\n", encoding="utf-8")
    for seed, score in enumerate((11.0, 13.0)):
        write_evaluation(place.evaluation(NAME, "unet_small", seed), {"corrupted": INPUT, "unet_small": learned(score)}, True)
        told = {"status": "finished", "problems": [], "params": 1_549_648, "real_time_factor": 0.02 + 0.02 * seed}
        write(place.evaluation(NAME, "unet_small", seed) / "result.json", told)
        write(place.run(NAME, "unet_small", seed) / "result.json", {"training_core_seconds": 290.0 + seed, "global_step": 580})
    return place


def rows_by_label(lines: list[str]) -> dict[str, list[str]]:
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {row[0]: row[1:] for row in cells}


def test_learned_row_is_bold_only_where_it_beats_the_best_control_and_an_oracle_is_no_rival(place: Place) -> None:
    rows = rows_by_label(table(NAME, [0, 1, 2], place))
    assert rows["unet_small"][:3] == ["**12.00** ± 1.41", "1.45 ± 0.00 ▼", "0.90 ± 0.00"]
    assert rows["wiener"][:3] == ["10.00 •", "1.40 ▼", "0.90 •"]
    assert rows["wiener_oracle"][0] == "20.00"
    assert rows["input"][:3] == ["5.00", "1.50 •", "0.80"]
    assert list(rows)[2:] == ["input", "wiener", "wiener_oracle", "unet_small"]


def test_table_tells_what_is_seen_what_a_training_cost_and_what_the_recordings_are(place: Place) -> None:
    lines = table(NAME, [0, 1, 2], place)
    rows = rows_by_label(lines)
    headings = [name for level in (0, 5, 10) for name in (f"{level} dB, seen: SI-SDR", "PESQ", "STOI")]
    assert rows["recorded noise"] == [*headings, "steps", "core-seconds", "seeds", "parameters", "real-time factor"]
    assert rows["unet_small"][9:] == ["580", "290 ± 1", "2", "1,549,648", "0.03"]
    assert rows["wiener"][9:] == 5 * [""]
    assert "2 pairs: 1 real recording, 1 rendered." in lines


def test_seed_that_was_tested_on_other_pairs_has_no_part_in_the_row(place: Place) -> None:
    write_evaluation(place.evaluation(NAME, "unet_small", 1), {"corrupted": INPUT, "unet_small": learned(99.0)}, True, "b")
    assert rows_by_label(table(NAME, [0, 1], place))["unet_small"][0] == "**11.00**"


def test_experiment_without_its_controls_has_no_table(tmp_path: Path) -> None:
    assert table(NAME, [0], Place(tmp_path, tmp_path)) == []


def test_evaluation_is_done_when_all_of_its_conditions_came_through(place: Place) -> None:
    job = evaluation(NAME, place, "unet_small", 0)
    assert job.is_done()
    found = json.loads((job.folder / "conditions.json").read_text(encoding="utf-8"))
    found["conditions"][1]["failure"] = "why"
    write(job.folder / "conditions.json", found)
    assert not job.is_done()


@pytest.mark.parametrize("result", [{}, {"status": "interrupted"}, {"status": "finished", "problems": ["the test: why"]}])
def test_training_that_was_killed_interrupted_or_not_tested_is_not_done(result: dict[str, Any], tmp_path: Path) -> None:
    job = training(NAME, "conv_rnn", 1, Place(tmp_path, tmp_path))
    write(job.folder / "result.json", result)
    assert not job.is_done()
    write(job.folder / "result.json", {"status": "finished", "problems": []})
    assert job.is_done()


def test_every_training_stands_before_its_evaluation_and_the_controls_before_both(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    folders = [job.folder.name for job in jobs_of(["denoise_music_16khz", NAME], ["mask_net"], [0, 1], place)]
    assert folders == [
        "denoise_music_16khz-controls", f"{NAME}-controls",
        *(f"{name}-mask_net-seed{seed}" for seed in (0, 1) for name in ("denoise_music_16khz", NAME) for _ in range(2)),
    ]  # fmt: skip
    scripts = [job.arguments[0] for job in jobs_of([NAME], ["mask_net"], [0], place)]
    assert scripts == ["evaluate.py", "train.py", "evaluate.py"]


def test_budget_of_a_training_is_its_steps_and_a_trial_has_two(tmp_path: Path) -> None:
    whole = training(NAME, "mask_net", 0, Place(tmp_path, tmp_path)).arguments
    tried = training(NAME, "mask_net", 0, Place(tmp_path, tmp_path, Trial())).arguments
    assert f"trainer.max_steps={EXPERIMENTS[NAME].steps['mask_net']}" in whole and "data.batch_size=1" in whole
    assert "trainer.max_steps=2" in tried


def test_every_small_method_of_the_literature_is_a_row_of_both_tasks_and_a_job_of_the_sweep() -> None:
    swept = yaml.safe_load((SWEEPS / "literature.yaml").read_text(encoding="utf-8"))["hydra"]["sweeper"]["params"]
    assert {*swept["model"].split(",")} == {*LITERATURE}
    for name in swept["experiment"].split(","):
        assert EXPERIMENTS[name].steps == LITERATURE


def test_commands_are_printed_and_none_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(tmp_path), str(tmp_path / "work"), "--dry-run", "--only", NAME, "--methods", "unet_small", "--seeds", "4"])
    lines = capsys.readouterr().out.splitlines()
    assert code == 0 and len(lines) == 3 and not (tmp_path / "work").exists()
    assert f"experiment={NAME} model=unet_small seed=4" in lines[1] and f"corruption.noise_root={tmp_path}/noise" in lines[1]


def test_job_that_another_process_did_meanwhile_is_not_repeated(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    begun: list[str] = []

    def succeed(job: Job) -> int:
        begun.append(job.folder.name)
        write(job.folder / "result.json", {"status": "finished"})
        write(second.folder / "result.json", {"status": "finished"})
        return 0

    first, second, third = (training(NAME, method, 0, place) for method in ("conv_rnn", "mask_net", "unet_small"))
    monkeypatch.setattr("benchmarks.results_grid.jobs.run", succeed)
    assert do([first, second]) == []
    assert begun == [first.folder.name]
    assert "2/2" not in capsys.readouterr().err
    monkeypatch.setattr("benchmarks.results_grid.jobs.run", lambda job: 1)
    assert do([first, third]) == [third]
    assert f"failed (1), see {third.folder}.log" in capsys.readouterr().err


def test_records_make_the_same_table_elsewhere_and_name_no_folder(place: Place, tmp_path: Path) -> None:
    jobs = jobs_of([NAME], ["unet_small"], [0, 1], place)
    for job in jobs:
        write(job.folder / "result.json", {**read(job.folder / "result.json"), "status": "finished", "folder": str(job.folder)})
        keep_record(job, place.work, tmp_path / "records")
    elsewhere = Place(place.audio, tmp_path / "elsewhere")
    take_records(elsewhere.work, tmp_path / "records")
    assert table(NAME, [0, 1], elsewhere) == table(NAME, [0, 1], place)
    assert all(job.is_done() for job in jobs_of([NAME], ["unet_small"], [0, 1], elsewhere))
    kept = [path.read_text(encoding="utf-8") for path in (tmp_path / "records").rglob("*.*")]
    assert kept and not any(str(tmp_path) in text for text in kept)


def test_record_does_not_replace_what_is_there(place: Place, tmp_path: Path) -> None:
    (job, *_) = jobs_of([NAME], ["unet_small"], [0], place)
    keep_record(job, place.work, tmp_path / "records")
    write(job.folder / "result.json", {"status": "interrupted"})
    take_records(place.work, tmp_path / "records")
    assert not job.is_done()


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_interruption_asks_the_command_to_end_and_waits_for_it(tmp_path: Path) -> None:
    program = (
        "import signal, time; signal.signal(15, lambda *_: (print('kept'), exit(0))); print('up', flush=True); time.sleep(60)"
    )
    job, log = Job(tmp_path / "run", ("-c", program)), tmp_path / "run.log"

    def interrupt() -> int:
        while "up\n" not in log.read_text(encoding="utf-8"):
            time.sleep(0.01)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        waits, wait = iter([interrupt]), subprocess.Popen.wait
        patch.setattr(subprocess.Popen, "wait", lambda self: next(waits, lambda: wait(self))())
        with pytest.raises(KeyboardInterrupt):
            run(job)
    assert log.read_text(encoding="utf-8").split() == ["up", "kept"]


@pytest.mark.slow
def test_chain_trains_evaluates_prints_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "music").mkdir()
    draws = np.random.default_rng(0)
    lines = ["file,split,group,kind"]
    for split in ("train", "val", "test"):
        audio_io.write(tmp_path / "music" / f"{split}.wav", 0.1 * draws.standard_normal((1, 80_000)), 16_000)
        lines.append(f"{split}.wav,{split},{split},real_recording")
    (tmp_path / "music" / "MANIFEST.csv").write_text("\n".join(lines), encoding="utf-8")
    only = ["--only", "dequantize_music_8bit", "--methods", "unet_small", "--seeds", "0"]
    command = [str(tmp_path), str(tmp_path / "work"), "--trial", *only]
    assert main(command) == 0
    told = capsys.readouterr()
    rows = rows_by_label(told.out.splitlines())
    assert rows["bits"][0] == "6 bits, seen: SNR" and rows["unet_small"][9] == "2" and float(rows["unet_small"][10]) > 0
    assert "3/3 dequantize_music_8bit-unet_small-seed0: done" in told.err
    assert main(command) == 0
    assert capsys.readouterr().err == ""
