"""Randomness tied to the batch, evidence of a failure, and a stop on request."""

import json
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lightning_modules.base import NonFiniteLossError
from lightning_modules.callbacks.common import BatchSeed, EpochReport, NonFiniteReport, StopOnSignal, TrainingClock


def state(done: int = 0, **values: Any) -> Any:
    usual = {"current_epoch": 0, "global_rank": 0, "global_step": 0, "world_size": 1, "should_stop": False}
    progress = SimpleNamespace(total=SimpleNamespace(ready=done))
    loop = SimpleNamespace(epoch_loop=SimpleNamespace(batch_progress=progress, _batches_that_stepped=done))
    return SimpleNamespace(**(usual | {"fit_loop": loop} | values))


def draw(seed: int, **values: int) -> float:
    BatchSeed(seed).on_train_batch_start(state(**values), state())
    return torch.rand(1).item()


def test_draws_depend_on_seed_batch_and_rank_and_on_nothing_else() -> None:
    torch.rand(7)
    first = draw(1, done=2)
    torch.rand(5)
    assert draw(1, done=2) == first
    others = {draw(2, done=2), draw(1, done=3), draw(1, done=2, global_rank=1)}
    assert len(others | {first}) == 4


def test_non_finite_loss_is_reported_with_its_batch(tmp_path: Path) -> None:
    NonFiniteReport(tmp_path).on_exception(state(current_epoch=3, global_step=40), state(), NonFiniteLossError([1, 2]))
    report = json.loads((tmp_path / "nonfinite.json").read_text(encoding="utf-8"))
    assert report == {"indices": [1, 2], "epoch": 3, "global_step": 40}


def test_other_failures_are_not_reported_as_non_finite(tmp_path: Path) -> None:
    NonFiniteReport(tmp_path).on_exception(state(), state(), RuntimeError("out of memory"))
    assert list(tmp_path.iterdir()) == []


def test_each_validation_is_a_line_but_not_the_check_before_training(tmp_path: Path) -> None:
    report = EpochReport(tmp_path)
    seen = {"callback_metrics": {"val/lsd": torch.tensor(1.5), "train/loss": torch.tensor(2.0)}, "is_global_zero": True}
    for epoch, checking in ((0, True), (0, False), (1, False)):
        report.on_validation_end(state(4 * epoch + 3, current_epoch=epoch, sanity_checking=checking, **seen), state())
    report.on_validation_end(state(sanity_checking=False, **seen | {"is_global_zero": False}), state())
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"epoch": 0, "step": 4, "val/lsd": 1.5}, {"epoch": 1, "step": 8, "val/lsd": 1.5}]


def test_epoch_that_is_repeated_is_listed_once(tmp_path: Path) -> None:
    (tmp_path / "epochs.jsonl").write_text(
        '{"epoch": 0, "val/lsd": 3.0}\n{"epoch": 1, "val/lsd": 2.0}\n{"epoch": 2, "va', encoding="utf-8"
    )
    seen = {"callback_metrics": {"val/lsd": torch.tensor(1.5)}, "is_global_zero": True, "sanity_checking": False}
    for _ in range(2):
        EpochReport(tmp_path).on_validation_end(state(7, current_epoch=1, **seen), state())
    lines = [json.loads(line) for line in (tmp_path / "epochs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert lines == [{"epoch": 0, "val/lsd": 3.0}, {"epoch": 1, "step": 8, "val/lsd": 1.5}]
    assert [path.name for path in tmp_path.iterdir()] == ["epochs.jsonl"]


def test_what_came_after_the_checkpoint_is_forgotten_when_a_run_goes_on(tmp_path: Path) -> None:
    lines = ['{"epoch": 0, "step": 2}', '{"epoch": 0, "step": 4}', '{"epoch": 1, "step": 6}', '{"epoch": 1, "st']
    (tmp_path / "epochs.jsonl").write_text("\n".join(lines), encoding="utf-8")
    EpochReport(tmp_path).on_train_start(state(4, current_epoch=1, is_global_zero=True), state())
    assert (tmp_path / "epochs.jsonl").read_text(encoding="utf-8").splitlines() == lines[:2]


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_after_the_batch_and_handlers_are_given_back(number: signal.Signals) -> None:
    before, trainer = signal.getsignal(number), state()
    with StopOnSignal() as stopper:
        signal.signal(number, signal.SIG_DFL)  # as a trainer that puts its own handler there
        stopper.on_train_start(trainer, state())
        os.kill(os.getpid(), number)
        assert not trainer.should_stop
        stopper.on_train_batch_end(trainer, state())
        assert trainer.should_stop
        assert stopper.received == number
        assert signal.getsignal(number) is before
    assert signal.getsignal(number) is before


@pytest.mark.posix
@pytest.mark.parametrize(("name", "seconds"), [("SIGTERM", 5.0), ("SIGUSR1", 60.0)])
def test_what_comes_long_before_the_end_leaves_time_for_long_batches(
    monkeypatch: pytest.MonkeyPatch, name: str, seconds: float
) -> None:
    alarms: list[float] = []
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    monkeypatch.setattr("lightning_modules.callbacks.common.set_alarm", alarms.append)
    number = getattr(signal, name)
    with StopOnSignal() as stopper:
        os.kill(os.getpid(), number)
        assert (stopper.received, alarms) == (number, [seconds])


def test_without_a_signal_nothing_stops() -> None:
    trainer = state()
    with StopOnSignal() as stopper:
        stopper.on_train_batch_end(trainer, state())
    assert not trainer.should_stop
    assert stopper.received is None


def test_clock_goes_on_from_the_checkpoint_of_a_resumed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    now, worked = [100.0], [7.0]
    monkeypatch.setattr("lightning_modules.callbacks.common.time.monotonic", lambda: now[0])
    monkeypatch.setattr("lightning_modules.callbacks.common.time.process_time", lambda: worked[0])
    first, second = TrainingClock(), TrainingClock()
    assert (first.seconds(), first.core_seconds()) == (0, 0)
    first.on_fit_start(state(), state())
    now[0], worked[0] = 130.0, 17.0
    second.load_state_dict(first.state_dict())
    now[0], worked[0] = 500.0, 2.0
    second.on_fit_start(state(), state())
    now[0], worked[0] = 504.0, 5.0
    assert (second.seconds(), second.core_seconds()) == (34, 13)


def test_clock_tells_no_time_of_the_cores_where_an_older_checkpoint_does_not() -> None:
    clock = TrainingClock()
    clock.load_state_dict({"seconds": 30.0})
    clock.on_fit_start(state(), state())
    assert clock.core_seconds() is None
    assert clock.state_dict()["core_seconds"] is None
    assert clock.seconds() >= 30
