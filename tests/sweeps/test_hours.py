"""A sweep that may take so many hours: what has not begun by then is left, told by the exit code, and taken up the next time."""

import pickle
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from sweeps.hours import ENDS_VARIABLE, LEFT_CODE, StudyEnd, are_spent, override_of
from sweeps.records import read_job

Sweep = Callable[..., "subprocess.Popen[str]"]


def test_hours_are_spent_at_their_end_and_without_any_never(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDS_VARIABLE, raising=False)
    assert not are_spent()
    key, _, value = override_of(2.0).partition("=")
    assert key == f"+hydra.job.env_set.{ENDS_VARIABLE}"
    now = time.time()
    monkeypatch.setenv(ENDS_VARIABLE, value.strip("'"))
    assert not are_spent()
    monkeypatch.setattr(time, "time", lambda: now + 7201)
    assert are_spent()


@pytest.mark.parametrize("read", [float, list])
def test_end_of_a_study_is_reached_where_its_trials_are_drawn(read: Callable[[StudyEnd], object]) -> None:
    with pytest.raises(SystemExit) as ended:
        read(pickle.loads(pickle.dumps(StudyEnd())))
    assert ended.value.code == LEFT_CODE


@pytest.mark.slow
@pytest.mark.skipif(find_spec("optuna") is None, reason="needs the sweeps extra")
def test_study_draws_no_trial_once_its_hours_are_spent(start_sweep: Sweep, tmp_path: Path) -> None:
    process = start_sweep(tmp_path, "sweep=tpe", "sweep_hours=0")
    output, _ = process.communicate()
    assert process.returncode == LEFT_CODE, output
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["0"]
    assert "note: job 0" in output and "Traceback" not in output


@pytest.mark.slow
def test_what_is_left_is_taken_up_again(start_sweep: Sweep, tmp_path: Path) -> None:
    sweep = tmp_path / "sweep"
    first = start_sweep(sweep, "model.optimizer.lr=1e-3,2e-3", "sweep_hours=0")
    output, _ = first.communicate()
    assert first.returncode == 3, output
    assert [read_job(sweep / name).status for name in "01"] == ["left", "left"]
    assert not list(sweep.glob("*/run.json"))
    again = start_sweep(sweep, "model.optimizer.lr=2e-3", "sweep_hours=10")
    output, _ = again.communicate()
    assert again.returncode == 0, output
    assert [read_job(sweep / name).status for name in "01"] == ["left", "finished"]
    assert sorted(path.name for path in sweep.iterdir() if path.is_dir()) == ["0", "1"]
