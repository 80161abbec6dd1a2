"""The tables of the modular GAN: what is left to do, made-up results beside their controls, and the verdict on them."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_module

from benchmarks.modular_gan.__main__ import main
from benchmarks.modular_gan.jobs import evaluation, jobs_of, training
from benchmarks.modular_gan.rows import LEARNED, TABLES, TASKS
from benchmarks.modular_gan.tables import lines_of, rows_of, verdict_of
from benchmarks.results_grid.jobs import Place, Trial
from benchmarks.results_tables import Row
from conf.compose import plain
from conf.null_choices import with_null_choices
from conf.schema.check import check_evaluate, check_train

TASK = "piano_5_to_10khz"
NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]


def scores(kind: str, lsd: float, snr_lf_db: float = 40.0) -> dict[str, Any]:
    return {"kind": kind, "changed_share": 1.0, "snr_db": 27.0, "snr_lf_db": snr_lf_db} | dict.fromkeys(
        ("lsd", "lsd_hf60", "lsd_bilat"), lsd
    )


CONTROLS = {"corrupted": scores("corrupted", 2.5), "noise_fill": scores("classical", 1.2), "sinc": scores("classical", 2.4)}


def write(folder: Path, methods: Mapping[str, Any], pairs: str = "a") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    result = {"status": "finished", "problems": [], "methods": methods, "manifest_hash": pairs}
    (folder / "result.json").write_text(json.dumps(result), encoding="utf-8")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Hold controls and two seeds of one learned row."""
    place = Place(tmp_path / "audio", tmp_path / "work")
    write(evaluation(TASK, place).folder, CONTROLS)
    for seed, lsd in enumerate((1.0, 1.1)):
        write(evaluation(TASK, place, "G", seed).folder, {"corrupted": CONTROLS["corrupted"], "u": scores("learned", lsd, 39.95)})
    return place


def row(label: str, kind: str, **means: float) -> Row:
    return Row(label, kind, {name: [value] for name, value in means.items()})


def test_table_has_learned_rows_beside_controls_and_the_verdict(place: Place) -> None:
    lines = lines_of("super_resolution", place)
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:]] for line in lines if line.startswith("|")}
    assert cells["method"][:5] == list(TASKS[TASK].metrics)
    assert cells["G"][2] == "**1.05** ± 0.07" and cells["G"][7] == "2"
    assert cells["noise_fill"][2] == "1.20 •" and list(cells)[2:4] == ["input", "noise_fill"]
    assert "Verdict on G:" in lines and "Published: SNR 27.42 to 1.65 dB" in "\n".join(lines)


def test_row_of_other_pairs_has_no_part(place: Place) -> None:
    write(evaluation(TASK, place, "G", 1).folder, {"u": scores("learned", 9.0)}, pairs="b")
    (found,) = [row for row in rows_of(TABLES["super_resolution"], place) if row.label == "G"]
    assert found.seeds["lsd"] == [1.0]


def test_excerpts_stand_side_by_side(place: Place) -> None:
    for seconds, lsd in ((15, 2.3), (10, 2.2), (5, 2.0), (1, 1.4)):
        write(evaluation(TASK, place, seconds=seconds).folder, {"corrupted": scores("corrupted", lsd)})
    lines = lines_of("excerpts", place)
    assert "| input | 2.30 • | 2.20 • | 2.00 • | 1.40 • |" in lines


def test_nothing_without_controls(tmp_path: Path) -> None:
    assert all(lines_of(name, Place(tmp_path, tmp_path)) == [] for name in TABLES)


@pytest.mark.parametrize(
    ("lsd", "hf60", "low", "held"),
    [(1.0, 0.9, 39.91, [True, True, True]), (1.3, 0.9, 39.8, [False, False, True]), (1.0, 1.2, 41.0, [True, True, False])],
)
def test_verdict_on_super_resolution(lsd: float, hf60: float, low: float, held: list[bool]) -> None:
    rows = [
        row("input", "corrupted", lsd=2.5, lsd_hf60=2.0, snr_lf_db=40.0),
        row("noise_fill", "classical", lsd=1.2, lsd_hf60=1.0, snr_lf_db=40.0),
        row("worse", "learned", lsd=1.9, lsd_hf60=0.1, snr_lf_db=60.0),
        row("best", "learned", lsd=lsd, lsd_hf60=hf60, snr_lf_db=low),
    ]
    first, *bars = verdict_of(TASK, rows)
    assert first == "Verdict on best:"
    assert ["NOT held" not in bar for bar in bars] == held


def test_verdicts_on_noise_and_rooms_name_their_rivals() -> None:
    rows = [
        row("input", "corrupted", si_sdr_db=5.0),
        row("wiener", "classical", si_sdr_db=9.0),
        row("u", "learned", si_sdr_db=8.0),
    ]
    assert verdict_of("piano_denoise_10khz", rows)[1] == "- si_sdr_db better than wiener: NOT held (8.00 against 9.00)"
    better, unknown = verdict_of("piano_dereverb_10khz", rows)[1:]
    assert better == "- si_sdr_db better than input: held (8.00 against 5.00)"
    assert unknown == "- si_sdr_db better than wpe: not known, wpe has no value"
    assert verdict_of(TASK, rows[:1]) == ["Verdict: no learned row yet."]


def test_no_job_comes_twice_and_every_training_before_its_evaluations(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path)
    jobs = jobs_of(list(TABLES), None, place)
    folders = [job.folder for job in jobs]
    assert len(folders) == len(set(folders))
    trained = [folder for folder in folders if folder.parent.name == "runs"]
    for folder in trained:
        assert folders.index(folder) < folders.index(place.work / "evaluations" / folder.name)
    assert sum(folder.name.startswith(f"{TASK}-G-seed") for folder in trained) == 3
    assert {name for name in trained if "depth-8" in name.name} == {place.run(TASK, "depth-8", 0)}


def composed(script: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Return the configuration of a command, as long as three epochs."""
    given = [argument for argument in arguments if not argument.startswith(("hydra.", "trainer.max_epochs"))]
    length = ["trainer.max_epochs=3"] if script == "train.py" else []
    with initialize_config_module("conf"):
        return plain(compose(script.removesuffix(".py"), overrides=[*with_null_choices(given), *length, *NAMES]))


@pytest.mark.parametrize("label", list(LEARNED))
def test_every_training_is_a_valid_configuration(label: str, tmp_path: Path) -> None:
    task = next(table.task for table in TABLES.values() if label in table.learned)
    script, *arguments = training(task, label, 0, Place(tmp_path, tmp_path)).arguments
    config = composed(script, arguments)
    assert config["trainer"]["max_steps"] == LEARNED[label].steps
    assert config["corruption"]["steps"] == TASKS[task].corruption
    check_train(config)


@pytest.mark.parametrize("task", list(TASKS))
def test_task_is_that_of_its_experiment(task: str, tmp_path: Path) -> None:
    script, *arguments = evaluation(task, Place(tmp_path, tmp_path)).arguments
    config = composed(script, arguments)
    experiment = composed("train.py", [f"experiment={task}", "data.root=data"])
    check_evaluate(config)
    assert config["corruption"] == experiment["corruption"]
    assert config["data"]["sample_rate"] == experiment["data"]["sample_rate"] == 10_000


def test_commands_are_printed_and_none_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "work"), "--dry-run", "--only", "denoising"]) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 1 + 2 * len(TABLES["denoising"].learned) and not (tmp_path / "work").exists()
    assert all(line[0] == "OMP_NUM_THREADS=1" and line[2] in ("train.py", "evaluate.py") for line in lines)


def test_tables_only_prints_and_a_trial_has_two_steps(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(place.audio), str(place.work), "--tables", "--only", "super_resolution"]) == 0
    assert "## Super-resolution, 5 to 10 kHz" in capsys.readouterr().out
    tried = Place(place.audio, place.work, Trial())
    assert "trainer.max_steps=2" in training(TASK, "G", 0, tried).arguments
