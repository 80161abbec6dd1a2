"""An Optuna study over several processes: its trials are counted, and each is done once."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

optuna = pytest.importorskip("optuna", reason="needs the sweeps extra")
pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

from sweeps.optuna_study import study_settings  # noqa: E402

if TYPE_CHECKING:
    import subprocess

SWEEPER: dict[str, Any] = {"storage": None, "study_name": None, "n_trials": 5, "sampler": {"seed": 3}}
TASK = ["data=folder", "model.optimizer.lr=tag(log,interval(1e-4,1e-2))"]
Sweep = Callable[..., "subprocess.Popen[str]"]


def study_in(folder: Path) -> Any:
    return optuna.load_study(study_name=folder.name, storage=f"sqlite:///{folder}/optuna.db")


def states(folder: Path) -> list[str]:
    return [trial.state.name for trial in study_in(folder).trials]


def ask(study: Any, rate: float) -> Any:
    study.enqueue_trial({"lr": rate})
    trial = study.ask()
    trial.suggest_float("lr", 0, 1)
    return trial


def found(folder: Path, objectives: Sequence[str] = ("val/lsd",), task: Sequence[str] = TASK) -> dict[str, Any]:
    return study_settings(SWEEPER, folder, objectives, task)


def test_new_study_lies_in_the_folder_and_knows_what_is_better(tmp_path: Path) -> None:
    assert found(tmp_path, ["val/si_sdr_db", "val/lsd"]) == {
        "storage": f"sqlite:///{tmp_path}/optuna.db",
        "study_name": tmp_path.name,
        "n_trials": 5,
        "max_failure_rate": 1.0,
        "direction": ["maximize", "minimize"],
        "sampler.seed": 3,
    }
    assert found(tmp_path / "..", ["val/lsd"])["direction"] == "minimize"


def test_results_count_and_what_was_cut_off_or_failed_is_asked_again_once(tmp_path: Path) -> None:
    found(tmp_path)
    study = study_in(tmp_path)
    study.tell(ask(study, 0.1), 1.0)
    study.tell(ask(study, 0.2), state=optuna.trial.TrialState.FAIL)
    ask(study, 0.3)
    for _ in range(2):
        assert found(tmp_path)["n_trials"] == 4
        assert states(tmp_path) == ["COMPLETE", "FAIL", "FAIL", "WAITING", "WAITING"]
    study = study_in(tmp_path)
    assert [study.ask().suggest_float("lr", 0, 1) for _ in range(2)] == [0.2, 0.3]


def test_sampler_does_not_draw_the_same_trials_again(tmp_path: Path) -> None:
    found(tmp_path)
    study = study_in(tmp_path)
    study.tell(ask(study, 0.1), 1.0)
    assert found(tmp_path)["sampler.seed"] == 4


def test_finished_study_has_nothing_left(tmp_path: Path) -> None:
    found(tmp_path)
    study = study_in(tmp_path)
    for number in range(6):
        study.tell(ask(study, 0.1 * number), 1.0)
    assert found(tmp_path)["n_trials"] == 0


def test_study_of_other_objectives_or_another_task_is_refused(tmp_path: Path) -> None:
    found(tmp_path)
    with pytest.raises(ValueError, match="objectives to .*minimize.*; change hydra.sweep.dir"):
        found(tmp_path, ["val/si_sdr_db"])
    with pytest.raises(ValueError, match="is of data=folder; name another with hydra.sweep.dir"):
        found(tmp_path, task=["data=maestro"])
    assert found(tmp_path, task=["data=folder", "logger=csv", "rerun=true", "model.optimizer.lr=interval(0,1)"])


@pytest.mark.slow
def test_killed_study_ends_with_every_trial_done_once(start_sweep: Sweep, tmp_path: Path) -> None:
    space = ["model.optimizer.lr=tag(log,interval(1e-4,1e-2))", "objectives=[val/si_sdr_db,val/lsd]"]
    sweeper = ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=1", "hydra.sweeper.sampler.seed=1"]
    with start_sweep(tmp_path, *sweeper, *space, "trainer.max_epochs=6") as first:
        while not (tmp_path / "1" / "checkpoints" / "last.ckpt").exists():
            assert first.poll() is None
        first.kill()
    output, _ = start_sweep(tmp_path, *sweeper, *space, "trainer.max_epochs=6").communicate()
    assert "1 of 4 trials have a result" in output
    assert sorted(states(tmp_path)) == ["COMPLETE"] * 4 + ["FAIL"]
    done = [trial for trial in study_in(tmp_path).trials if trial.state.name == "COMPLETE"]
    assert len({trial.params["model.optimizer.lr"] for trial in done}) == 4
    results = [json.loads((tmp_path / str(number) / "result.json").read_text(encoding="utf-8")) for number in range(4)]
    told = {tuple(result["validation"][name] for name in ("val/si_sdr_db", "val/lsd")) for result in results}
    assert told == {tuple(trial.values) for trial in done}
    epochs = [json.loads(line)["epoch"] for line in (tmp_path / "1" / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert epochs == list(range(6))
