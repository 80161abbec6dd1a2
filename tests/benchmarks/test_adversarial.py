"""Whether adversarial training pays: equal time, what is left to do, made-up results, and the whole chain on a tiny set."""

import csv
import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hydra import compose, initialize_config_module

from benchmarks.adversarial.__main__ import main
from benchmarks.adversarial.jobs import Plan, base, comparing, evaluations, judge, pace, preparing, training
from benchmarks.adversarial.rows import ARMS, CONTROL, CORE_SECONDS, FILTERS, JUDGES, METRICS, START
from benchmarks.adversarial.tables import lines_of, verdict
from benchmarks.results_grid.jobs import Job, Place
from conf.compose import plain
from conf.null_choices import with_null_choices
from conf.schema.check import check_evaluate, check_train
from datamodules.audio import io as audio_io
from sweeps.report.bootstrap import Interval

NAMES = ["run_name=a", "run_dir=a", "choices.model=m", "choices.data=d", "choices.corruption=c"]
PAIRS = 8


def write(folder: Path, content: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps({"status": "finished", "problems": [], **content}), encoding="utf-8")


def write_csv(path: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)


def write_scores(job: Job, seed: int, visqol: float, c2st: float) -> None:
    """Write an evaluation in which all metrics but one are the same for every arm."""
    write(job.folder, {"methods": {"corrupted": {}, "arm": {"c2st": c2st}}})
    places = [{"index": index, "file": f"{index // 2}.wav"} for index in range(PAIRS)]
    plain_metrics = {metric: 1.0 for metric in METRICS if metric not in ("visqol", "zimtohrli")}
    write_csv(job.folder / "per_example.csv", [place | plain_metrics for place in places])
    heard = [place | {"visqol": 3 + visqol + 0.1 * place["index"] + 0.01 * seed, "zimtohrli": 3.0} for place in places]
    write_csv(job.folder / "perceptual.csv", heard)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Hold trials that tell the time of a step."""
    plan = Plan(Place(tmp_path / "audio", tmp_path / "work"), (CONTROL, "adversarial"), (0, 1))
    for arm, seconds in ((CONTROL, 64.0), ("adversarial", 160.0)):
        write(pace(arm, plan).folder, {"training_core_seconds": seconds, "global_step": 256})
    return plan


def test_arms_have_the_steps_that_the_same_core_seconds_are(plan: Plan) -> None:
    assert (plan.step_seconds(CONTROL), plan.step_seconds("adversarial")) == (0.25, 0.625)
    assert (plan.steps(CONTROL), plan.steps("adversarial")) == (CORE_SECONDS / 0.25, CORE_SECONDS / 0.625)
    given = Plan(plan.place, plan.arms, plan.seeds, control_steps=100)
    assert (given.steps(CONTROL), given.steps("adversarial")) == (100, 40)
    assert plan.steps("mugan") is None


def test_every_arm_follows_what_it_begins_with_its_judges_and_its_trial(plan: Plan) -> None:
    names = [job.folder.name for job in preparing(Plan(plan.place, tuple(ARMS), (0,)))]
    assert names[0] == "super_resolve_band_net-start-seed0"
    assert names[1:3] == [f"judge-{name}-seed0" for name in JUDGES] and len(names) == 3 + len(ARMS)
    jobs = comparing(plan)
    assert len(jobs) == len(FILTERS) + 2 * 2 * (1 + len(FILTERS)) == len({job.folder for job in jobs})
    assert jobs[len(FILTERS)].folder.name == "control-2400steps-arm-seed0"
    own = Plan(plan.place, plan.arms, (0,), base=Path("/somewhere/run"))
    assert "init_from=/somewhere/run" in training(CONTROL, 0, 1, own).arguments
    assert base(own).folder not in [job.folder for job in preparing(own)]


def composed(job: Job) -> dict[str, Any]:
    """Return the configuration of a command, as long as three epochs."""
    script, *arguments = job.arguments
    given = [argument for argument in arguments if not argument.startswith(("hydra.", "trainer.max_epochs"))]
    length = ["trainer.max_epochs=3"] if script == "train.py" else []
    with initialize_config_module("conf"):
        return plain(compose(script.removesuffix(".py"), overrides=[*with_null_choices(given), *length, *NAMES]))


@pytest.mark.parametrize("arm", list(ARMS))
def test_every_arm_is_a_valid_configuration_with_shares_of_the_gradient(arm: str, plan: Plan) -> None:
    config = composed(training(arm, 1, 77, plan))
    check_train(config)
    assert (config["trainer"]["max_steps"], config["seed"]) == (77, 1)
    assert config["model"]["balance"]["_target_"].endswith("GradientBalance")
    used = {name for name, weight in config["model"]["loss_weights"].items() if weight}
    wanted = {"adversarial": {"adversarial", "feature_matching"}, "feature": {"feature"}, "deep_feature": {"deep_feature"}}
    wanted |= {CONTROL: set(), "mugan": {"adversarial", "feature_matching", "feature"}}
    assert used == {"log_mse", "mr_stft"} | wanted[arm]


def test_what_comes_before_and_after_is_valid_and_of_the_same_data(plan: Plan) -> None:
    configs = [composed(job) for job in (base(plan), *(judge(name, plan) for name in JUDGES), training(CONTROL, 0, 9, plan))]
    for config in configs:
        check_train(config)
    data = [{key: config["data"][key] for key in ("sample_rate", "window_samples", "batch_size")} for config in configs]
    assert all(one == data[0] for one in data) and all(config["corruption"] == configs[0]["corruption"] for config in configs)
    evaluated = composed(evaluations(CONTROL, 0, plan)[-1])
    check_evaluate(evaluated)
    assert evaluated["corruption"]["filters"] == ["none"] and evaluated["test_probes"] == ["c2st"]
    assert evaluated["checkpoint"].endswith("control-2400steps-arm-seed0/checkpoints/last.ckpt")


def test_table_has_differences_to_the_control_with_intervals(plan: Plan) -> None:
    for seed in plan.seeds:
        for arm, visqol, c2st in ((CONTROL, 0.0, 80.0), ("adversarial", 0.3, 70.0)):
            for job in evaluations(arm, seed, plan):
                write_scores(job, seed, visqol, c2st)
            write(training(arm, seed, plan.steps(arm) or 0, plan).folder, {"training_core_seconds": 610.0 + seed})
    lines = lines_of(plan)
    assert lines[0] == f"## all filters: {len(FILTERS) * PAIRS} pairs" and sum(line.startswith("## ") for line in lines) == 5
    cells = {line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:-1]] for line in lines[:6] if "|" in line}
    assert cells[CONTROL][0] == "3.355" and cells[CONTROL][-2:] == ["80.0", "2"]
    first, second, *others = cells["adversarial − control"]
    assert first.startswith("**+0.300 [+0.") and second == "+0.000 [+0.000, +0.000]"
    assert others[-2:] == ["-10.0", "2"]
    assert "| adversarial | 0.625 | 960 | 610, 611 |" in lines
    assert "Verdict on adversarial: does NOT pay (not better in zimtohrli)" in lines


def test_arms_of_other_pairs_or_without_evaluations_have_no_part_and_are_named(plan: Plan) -> None:
    assert lines_of(plan) == ["No tables yet: control: no seed has all of its evaluations"]
    for arm in (CONTROL, START):
        for seed in plan.seeds:
            for job in evaluations(arm, seed, plan):
                write_scores(job, 0, 0.0, 80.0)
    for job in evaluations(START, 0, plan):
        (job.folder / "perceptual.csv").unlink()
        write_csv(job.folder / "per_example.csv", [{"index": 0, "file": "other.wav", "lsd": 1.0}])
    lines = lines_of(plan)
    assert any(line.startswith("| control |") for line in lines)
    assert not any(line.startswith((f"| {START}", "| adversarial")) for line in lines)
    assert "Left out: start: its pairs are not those of control" in lines
    assert "Left out: adversarial: no seed has all of its evaluations" in lines


@pytest.mark.parametrize(
    ("visqol", "zimtohrli", "snr", "told"),
    [
        ((0.1, 0.3), (0.01, 0.2), (-0.1, 0.1), "pays (visqol, zimtohrli)"),
        ((0.1, 0.3), (-0.01, 0.2), (-0.1, 0.1), "does NOT pay (not better in zimtohrli)"),
        ((0.1, 0.3), (0.01, 0.2), (-0.3, -0.1), "does NOT pay (worse in snr_lf_db)"),
    ],
)
def test_verdict_asks_for_both_models_of_hearing_and_an_unharmed_band(visqol: Any, zimtohrli: Any, snr: Any, told: str) -> None:
    found = {
        name: Interval(sum(bounds) / 2, *bounds)
        for name, bounds in {"visqol": visqol, "zimtohrli": zimtohrli, "snr_lf_db": snr}.items()
    }
    assert verdict("mugan", found) == f"Verdict on mugan: {told}"
    assert verdict("mugan", found | {"visqol": None}) == "Verdict on mugan: not known, as visqol has no interval"


def test_commands_are_printed_and_none_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path), str(tmp_path / "work"), "--dry-run", "--arms", "mugan", "--seeds", "0"]) == 0
    lines = [shlex.split(line) for line in capsys.readouterr().out.splitlines()]
    prepared = [line for line in lines if line[2] == "train.py"]
    assert len(prepared) == 4 and len(lines) == 4 + len(FILTERS) and not (tmp_path / "work").exists()


def test_a_base_that_is_none_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path), str(tmp_path / "work"), "--base", str(tmp_path / "absent")])
    assert f"--base {tmp_path / 'absent'}: no such run folder" in capsys.readouterr().err


def test_records_are_not_offered_as_they_hold_neither_checkpoints_nor_values_of_pairs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path), str(tmp_path / "work"), "--tables", "--records"])
    assert "unrecognized arguments: --records" in capsys.readouterr().err


@pytest.mark.slow
def test_chain_trains_evaluates_prints_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "speech").mkdir()
    draws = np.random.default_rng(0)
    lines = ["file,split,group,kind"]
    for split in ("train", "val", "test", "test"):
        name = f"{split}{len(lines)}"
        audio_io.write(tmp_path / "speech" / f"{name}.wav", 0.1 * draws.standard_normal((1, 80_000)), 16_000)
        lines.append(f"{name}.wav,{split},{name},speech")
    (tmp_path / "speech" / "MANIFEST.csv").write_text("\n".join(lines), encoding="utf-8")
    command = [str(tmp_path), str(tmp_path / "work"), "--trial", "--arms", "adversarial", "--seeds", "0"]
    assert main(command) == 0
    told = capsys.readouterr()
    assert "## all filters: 2 pairs" in told.out and "| adversarial − control |" in told.out
    assert "Verdict on adversarial: " in told.out and "5/5" in told.err
    assert main(command) == 0
    assert capsys.readouterr().err == ""
