"""The end of a run: each part fails in turn, what came before is on disk, what comes after still happens, the exit code tells."""

import csv
import json
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.compose import baselines
from conf.settings import EvaluateSettings, TrainSettings
from lightning_modules.callbacks.common import StopOnSignal
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train
from lightning_modules.metrics.probes import collection as probes
from lightning_modules.metrics.registry import computed_in
from lightning_modules.runs import end as run_end
from lightning_modules.runs.end import exit_code
from lightning_modules.runs.tracker import Tracker
from models.classical.wiener import Wiener

STEPS = ["model=conv_rnn", "model.net.state_channels=4", "model.net.hidden_channels=8", "model.net.steps=3"]
Config = Callable[..., TrainSettings]
BASELINES = ["wiener", "sinc", "noise_fill"]
PARTS = {
    "write_rows": ["per_example.csv"],
    "restore_example": ["example 0"],
    "write_example": ["audio of example 0"],
    "draw_example": ["picture of example 0"],
    "write_steps": ["the table by step"],
    "draw_steps": ["pictures by step"],
    "show": ["the table"],
    "tracker.means": ["the tracker's metrics"],
    "tracker.summary": ["the tracker's summary"],
    "tracker.examples": ["the tracker's examples"],
    "tracker.pictures": ["the tracker's pictures by step"],
    "tracker.close": ["the tracker's end"],
}
SOUNDS = [f"0000_{name}.flac" for name in ("clean", "corrupted", "restored", "control_wiener")]
FILES = {
    "write_rows": ["per_example.csv"],
    "restore_example": [*SOUNDS, "0000.png"],
    "write_example": SOUNDS,
    "draw_example": ["0000.png"],
    "write_steps": ["by_step.csv", "by_step.png", "0000_steps.png"],
    "draw_steps": ["by_step.png", "0000_steps.png"],
}


def break_it(*given: Any, **named: Any) -> Any:
    raise KeyError("broken")


@pytest.fixture
def config(train_config: Config) -> TrainSettings:
    return train_config(*STEPS, "trainer.max_epochs=1", "examples=1", f"baselines=[{','.join(BASELINES)}]")


def result_of(folder: Path) -> Any:
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.suffix in (".flac", ".png", ".csv") and path.name != "metrics.csv"}


def test_clean_run_has_no_problems_and_every_row(config: TrainSettings, tmp_path: Path) -> None:
    result = train(config)
    assert (result["problems"], exit_code(result)) == ([], 0)
    assert result_of(tmp_path / "run") == json.loads(json.dumps(result))
    assert list(result["methods"]) == ["corrupted", *BASELINES, "method"]
    assert all(set(computed_in("probe")) <= set(row) for row in result["methods"].values())
    assert result["methods"]["corrupted"]["noharm_db"] == result["metrics"]["test/corrupted_noharm_db"] == 100.0
    assert result["methods"]["sinc"]["changed_share"] == 0.0
    assert result["methods"]["wiener"]["changed_share"] == 1.0
    expected = {"per_example.csv", "by_step.csv", "by_step.png", "0000_steps.png", "0000.png"}
    assert files_of(tmp_path / "run") == expected | set(SOUNDS)


@pytest.mark.parametrize("part", PARTS)
def test_part_that_fails_costs_no_other(
    config: TrainSettings, tmp_path: Path, part: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    owner, _, name = part.rpartition(".")
    monkeypatch.setattr(Tracker if owner else run_end, name, break_it)
    result = train(config)
    assert result["problems"] == [f"{name}: KeyError: 'broken'" for name in PARTS[part]]
    assert (result["status"], exit_code(result)) == ("finished", 1)
    assert result_of(tmp_path / "run") == json.loads(json.dumps(result))
    assert f"error: {PARTS[part][0]} failed, and the rest goes on: KeyError: 'broken'\n" in capsys.readouterr().err
    assert list(result["methods"]) == ["corrupted", *BASELINES, "method"]
    assert ("by_step" in result) == (part != "write_steps")
    whole = {"per_example.csv", "by_step.csv", "by_step.png", "0000_steps.png", "0000.png"}
    whole |= set(SOUNDS)
    assert files_of(tmp_path / "run") == whole - set(FILES.get(part, []))
    (table,) = (tmp_path / "run").glob("csv/*/metrics.csv")
    assert ("test/si_sdr_db" in table.read_text(encoding="utf-8")) == (part != "tracker.means")


def test_probe_that_fails_costs_no_other(
    evaluate_config: Callable[..., EvaluateSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(probes._PROBES, "c2st", break_it)
    result = evaluate(evaluate_config("model=cubic_spline", "baselines=[sinc]"))
    assert result["problems"] == [f"c2st of {name}: KeyError: 'broken'" for name in ("corrupted", "method", "sinc")]
    others = {*computed_in("probe")} - {"c2st"}
    assert all(others <= set(row) and "c2st" not in row for row in result["methods"].values())


def test_oracle_has_no_probes(evaluate_config: Callable[..., EvaluateSettings]) -> None:
    methods = evaluate(evaluate_config("model=wiener_oracle", "baselines=[]"))["methods"]
    assert "noharm_db" in methods["corrupted"] and "lsd" in methods["method"]
    assert not set(computed_in("probe")) & set(methods["method"])


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("script", ["train", "evaluate"])
def test_baseline_that_fails_is_a_row_that_says_why(
    config: TrainSettings,
    evaluate_config: Callable[..., EvaluateSettings],
    tmp_path: Path,
    script: str,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(names: Any, rate_hz: int, trusted: Any) -> Any:
        made = whole(names, rate_hz, trusted)
        made[name].restore = break_it
        return made

    whole = baselines
    monkeypatch.setattr(f"lightning_modules.commands.{script}.baselines", broken)
    settings = ["model=cubic_spline", f"baselines=[{','.join(BASELINES)}]"]
    result = train(config) if script == "train" else evaluate(evaluate_config(*settings))
    assert result["methods"][name] == {"kind": "classical", "failure": "KeyError: 'broken'"}
    assert list(result["methods"]) == ["corrupted", *BASELINES, "method"]
    assert all("lsd" in result["methods"][other] for other in BASELINES if other != name)
    assert result["problems"] == [f"baseline {name}: KeyError: 'broken'"]
    assert exit_code(result) == 1
    assert f"{name} has no scores: KeyError: 'broken'\n" in capsys.readouterr().out
    assert "0000_restored.flac" in files_of(tmp_path / ("run" if script == "train" else "evaluation"))


def test_method_and_its_input_are_on_disk_before_anything_else(
    config: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(run_end, "write_rows", lambda *_: seen.append(result_of(tmp_path / "run")))
    result = train(config)
    (first,) = seen
    assert list(first["methods"]) == ["corrupted", "method"]
    assert first["metrics"].items() <= result["metrics"].items()
    assert first["validation"] == result["validation"]
    assert {"manifest_hash", "monitor", "seed", "status", "objective", "verdict"} <= set(first)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_during_the_end_leaves_out_what_is_left(
    config: TrainSettings, tmp_path: Path, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_in_a_test_loop(monkeypatch, number)
    result = train(config)
    assert (result["status"], result["signal"], exit_code(result)) == ("interrupted", number, 128 + number)
    assert list(result["methods"]) == ["corrupted", *BASELINES, "method"]
    assert "lsd" in result["methods"]["wiener"], "the part in work is finished"
    assert result["methods"]["sinc"]["failure"] == "left out, as the run was asked to end"
    assert files_of(tmp_path / "run") == {"per_example.csv"}
    assert result_of(tmp_path / "run") == json.loads(json.dumps(result))


def raise_in_a_test_loop(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    """Raise a signal while the first baseline is tested."""

    def raising(self: Wiener, corrupted: torch.Tensor) -> torch.Tensor:
        if not sent:
            sent.append(number)
            signal.raise_signal(number)
        return restore(self, corrupted)

    sent: list[int] = []
    restore = Wiener.forward
    monkeypatch.setattr(Wiener, "forward", raising)


def test_terminated_evaluation_without_a_result_does_not_look_like_a_success(
    evaluate_config: Callable[..., EvaluateSettings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_in_a_test_loop(monkeypatch, signal.SIGTERM)
    with pytest.raises(SystemExit) as ended:
        evaluate(evaluate_config("model=wiener", "baselines=[]"))
    assert ended.value.code == 143
    assert not (tmp_path / "evaluation" / "result.json").exists()


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process, also where the tests run in the background of a shell, which has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_interrupts")
def test_second_signal_ends_the_process_and_leaves_the_result(
    config: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*given: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(run_end, "restore_example", interrupted)
    with pytest.raises(KeyboardInterrupt):
        train(config)
    assert list(result_of(tmp_path / "run")["methods"]) == ["corrupted", *BASELINES, "method"]
    with (tmp_path / "run" / "per_example.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == result_of(tmp_path / "run")["pairs"]


def test_signal_that_ended_the_training_does_not_shorten_the_end(
    config: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(self: StopOnSignal, *given: Any) -> None:
        if self.received is None:
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(StopOnSignal, "on_train_epoch_end", stop, raising=False)
    patient = partial(StopOnSignal, grace_seconds=600)  # however busy the machine
    monkeypatch.setattr("lightning_modules.commands.train.StopOnSignal", patient)
    result = train(config)
    assert (result["status"], result["problems"], exit_code(result)) == ("interrupted", [], 143)
    assert "by_step" in result
