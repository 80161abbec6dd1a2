"""A method in several conditions: each is what an evaluation in it alone gives, and one that fails costs its row."""

import json
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conf.settings import EvaluateSettings, TrainSettings
from lightning_modules.commands import evaluate as command
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train
from lightning_modules.runs import conditions
from lightning_modules.runs.end import exit_code
from sweeps.report.report import write_report
from sweeps.report.runs import find_runs

Config = Callable[..., EvaluateSettings]
QUIET = ["examples=0", "baselines=[wiener]"]
GRID = "conditions={snr_db:[-5,5],colors:[white,brown]}"


def kept(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "conditions.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def checkpoint(train_config: Callable[..., TrainSettings], tmp_path: Path) -> str:
    net = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]
    train(train_config(*net, "examples=0", "trainer.max_epochs=1", "corruption.colors=[white]", "corruption.snr_db=[0,15]"))
    return f"checkpoint={tmp_path / 'run'}"


def test_conditions_are_evaluated_apart_and_marked(
    evaluate_config: Config, checkpoint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    result = evaluate(evaluate_config(checkpoint, GRID, *QUIET))
    assert exit_code(result) == 0
    table = re.sub(r"\s+", " ", capsys.readouterr().out.partition("conditions, the worst first")[2])
    rows = {row["label"]: row for row in kept(tmp_path / "evaluation")["conditions"]}
    assert {label: row["seen"] for label, row in rows.items()} == {
        "snr_db=-5 dB, colors=white": False,
        "snr_db=-5 dB, colors=brown": False,
        "snr_db=5 dB, colors=white": True,
        "snr_db=5 dB, colors=brown": False,
    }
    assert len({row["manifest_hash"] for row in rows.values()}) == 4
    white = rows["snr_db=-5 dB, colors=white"]
    assert list(white["methods"]) == ["corrupted", "wiener", "run"]
    assert white["methods"]["corrupted"]["snr_db"] == pytest.approx(-5, abs=0.05)
    alone = evaluate(evaluate_config(checkpoint, "corruption.snr_db=-5", "corruption.colors=[white]", *QUIET, run="alone"))
    for name, row in white["methods"].items():
        assert {key: alone["methods"][name][key] for key in row} == pytest.approx(row, nan_ok=True)
    ahead = {label: margin(row["methods"]) for label, row in rows.items()}
    places = [table.index(label) for label in sorted(ahead, key=ahead.__getitem__)]
    assert places == sorted(places)
    assert f"{min(ahead.values()):+.2f}" in table
    text = report_of(tmp_path)
    assert [text.index(label) for label in sorted(ahead, key=ahead.__getitem__)] == sorted(text.index(label) for label in ahead)


def test_first_condition_is_the_result_and_nothing_is_evaluated_twice(
    evaluate_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored: list[str] = []
    for place in (command, conditions):
        score = place.score_pairs

        def counted(module: Any, data: Any, trainer: Any, score: Any = score) -> Any:
            scored.append(data.manifest_hash)
            return score(module, data, trainer)

        monkeypatch.setattr(place, "score_pairs", counted)
    result = evaluate(evaluate_config("model=sinc", "conditions={snr_db:[0,5,10]}", "examples=0", "baselines=[]"))
    rows = kept(tmp_path / "evaluation")["conditions"]
    assert scored == [row["manifest_hash"] for row in rows] and len(set(scored)) == 3
    assert result["manifest_hash"] == rows[0]["manifest_hash"] and result["pairs"] == rows[0]["pairs"]
    first = rows[0]["methods"]["method"]
    assert first == pytest.approx({key: result["methods"]["method"][key] for key in first}, nan_ok=True)
    assert "noharm_db" in result["methods"]["method"] and [*first] == [*rows[1]["methods"]["method"]]


def margin(methods: dict[str, dict[str, float]]) -> float:
    return methods["run"]["si_sdr_db"] - max(methods[name]["si_sdr_db"] for name in ("corrupted", "wiener"))


def report_of(folder: Path) -> str:
    runs, _ = find_runs([folder / "evaluation"])
    write_report(runs, "e1", folder / "report", [], [])
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "scale-invariant signal-to-distortion ratio (dB), the worst condition first" in page
    return page.partition('<section id="conditions">')[2].partition("</section>")[0]


def test_condition_that_fails_costs_its_row_and_the_exit_code(
    evaluate_config: Config, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    result = evaluate(evaluate_config("model=sinc", "conditions={colors:[recorded,white]}", *QUIET))
    failed, scored = kept(tmp_path / "evaluation")["conditions"]
    assert failed["failure"].startswith("condition colors=recorded: ") and "noise_root" in failed["failure"]
    assert scored["label"] == "colors=white" and scored["seen"] is None and "methods" in scored
    assert exit_code(result) == 1
    assert result["problems"] == [failed["failure"]]
    assert json.loads((tmp_path / "evaluation" / "result.json").read_text(encoding="utf-8"))["problems"] == result["problems"]
    assert "error: condition colors=recorded failed, and the rest goes on" in capsys.readouterr().err
    assert "condition colors=recorded" in report_of(tmp_path)


@pytest.mark.posix
def test_signal_keeps_the_conditions_that_are_finished(
    evaluate_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = conditions._score

    def signaled(name: str, module: Any, case: Any, *others: Any) -> Any:
        found = score(name, module, case, *others)
        if case.label == "snr_db=5 dB":
            signal.raise_signal(signal.SIGTERM)
        return found

    monkeypatch.setattr(conditions, "_score", signaled)
    result = evaluate(evaluate_config("model=sinc", "conditions={snr_db:[0,5,10]}", *QUIET))
    first, second, third = kept(tmp_path / "evaluation")["conditions"]
    assert "methods" in first and "methods" in second and "left out" in third["failure"]
    assert (result["status"], exit_code(result)) == ("interrupted", 128 + signal.SIGTERM)


def test_run_folder_is_found_from_every_name_of_a_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    assert command.run_folder(tmp_path / "run") == tmp_path / "run"
    assert command.run_folder(tmp_path / "run" / "checkpoints" / "best.ckpt") == tmp_path / "run"
