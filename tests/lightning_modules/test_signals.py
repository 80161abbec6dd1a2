"""Signals are heard in every phase of a run and by every script: what is at work ends, what is finished stays."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from conf.settings import EvaluateSettings, TrainSettings
from lightning_modules import signals
from lightning_modules.callbacks.common import StopOnSignal
from lightning_modules.commands.evaluate import evaluate
from lightning_modules.commands.train import train
from lightning_modules.runs.end import exit_code
from lightning_modules.signals import Interrupted, SignalGuard
from sweeps.entry import enter

ROOT = Path(__file__).parents[2]
STUCK = """
import hashlib, sys
from lightning_modules.signals import SignalGuard
with SignalGuard(limit_seconds=float(sys.argv[1])):
    print("there", flush=True)
    hashlib.pbkdf2_hmac("sha256", b"", b"", 2**31 - 1)  # hours in one call, which Python's own handlers have to wait for
"""
TINY = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "trainer.max_epochs=1"]
Config = Callable[..., TrainSettings]


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list of the signals that this process would have been ended by."""
    numbers: list[int] = []
    monkeypatch.setattr(signals, "end_process", numbers.append)
    return numbers


def stuck(limit_seconds: float) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", STUCK, str(limit_seconds)], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline() == "there\n"
    time.sleep(1)  # and within the call
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_call_that_does_not_return_is_ended_at_the_limit(number: signal.Signals) -> None:
    process = stuck(0.2)
    process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    assert told == f"interrupted by {number.name}, in the middle of what could not be stopped otherwise\n"


def test_second_signal_does_not_wait_for_the_limit() -> None:
    process = stuck(600)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert process.poll() is None
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 143


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_is_raised_where_the_work_is_and_the_handlers_come_back(number: signal.Signals, ended: list[int]) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught, SignalGuard():
        signal.raise_signal(number)
    assert caught.value.number == number
    assert signal.getsignal(number) is before
    assert signal.set_wakeup_fd(-1) == -1
    assert not ended


def test_forked_worker_outlives_the_first_signal_and_its_parent_does_not_take_it_for_its_own(ended: list[int]) -> None:
    def work() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(7)

    with SignalGuard(limit_seconds=0.1):
        worker = multiprocessing.get_context("fork").Process(target=work)
        worker.start()
        worker.join()
        time.sleep(0.3)
    assert (worker.exitcode, ended) == (7, [])


def slow(number: int, original: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that at first gets a signal and then takes half a minute, and later does what the original does."""
    calls: list[int] = []

    def work(*given: Any, **named: Any) -> Any:
        if not calls:
            calls.append(1)
            signal.raise_signal(number)
            for _ in range(600):
                time.sleep(0.05)
        return original(*given, **named)

    return work


PHASES = {
    "a training step": ("lightning_modules.regression.RegressionModule.training_step", "an epoch"),
    "the validation": ("lightning_modules.base.RestorationModule.validation_step", "an epoch"),
    "the test": ("lightning_modules.base.RestorationModule.test_step", "the test"),
    "a baseline": ("models.classical.wiener.Wiener.forward", "baseline wiener"),
    "an example": ("lightning_modules.runs.end.restore_example", "example 0"),
    "a picture": ("lightning_modules.runs.end.draw_example", "picture of example 0"),
    "the tracker": ("lightning_modules.runs.tracker.Tracker.examples", "the tracker's examples"),
}


def patch_slow(monkeypatch: pytest.MonkeyPatch, target: str, number: int) -> None:
    owner, _, name = target.rpartition(".")
    module, _, cls = owner.rpartition(".")
    holder = getattr(import_module(module), cls) if cls[0].isupper() else import_module(owner)
    monkeypatch.setattr(holder, name, slow(number, getattr(holder, name)))


@pytest.mark.parametrize("phase", PHASES)
def test_every_phase_of_a_run_hears_a_signal_and_the_run_can_go_on(
    train_config: Config,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    phase: str,
) -> None:
    monkeypatch.setattr("lightning_modules.commands.train.StopOnSignal", partial(StopOnSignal, grace_seconds=0.2))
    settings = [*TINY, "baselines=[wiener]", "examples=1"]
    target, left = PHASES[phase]
    patch_slow(monkeypatch, target, signal.SIGTERM)
    started = time.monotonic()
    if left == "an epoch":
        with pytest.raises(Interrupted):
            train(train_config(*settings))
    else:
        result = train(train_config(*settings))
        assert result == json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
        assert (result["status"], exit_code(result)) == ("interrupted", 143)
        assert result["problems"][0] == f"{left}: interrupted, as the run was asked to end"
        assert "val/si_sdr_db" in result["validation"]
        told = f"interrupted by SIGTERM; {tmp_path / 'run' / 'result.json'} says what there is\n"
        assert capsys.readouterr().err.endswith(told)
    assert time.monotonic() - started < 25
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
    if left != "an epoch":
        whole = train(train_config(*settings, "resume=auto", run="again"))
        assert (whole["status"], whole["problems"], exit_code(whole)) == ("finished", [], 0)
        assert not (tmp_path / "again").exists() and list(whole["methods"]) == ["corrupted", "wiener", "method"]


def test_epoch_that_is_interrupted_is_repeated_from_the_last_whole_one(
    train_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lightning_modules.commands.train.StopOnSignal", partial(StopOnSignal, grace_seconds=0.2))
    train(train_config(*TINY, "examples=0"))
    patch_slow(monkeypatch, "lightning_modules.regression.RegressionModule.training_step", signal.SIGINT)
    again = [*TINY[:-1], "trainer.max_epochs=2", "examples=0", f"resume={tmp_path / 'run'}"]
    result = train(train_config(*again))
    assert (result["status"], result["epochs"], exit_code(result)) == ("interrupted", 1, 130)
    assert result["problems"] == ["the test: interrupted, as the run was asked to end"]
    assert train(train_config(*again))["epochs"] == 2


@pytest.mark.parametrize("target", ["datamodules.eval_windows.checksum", "lightning_modules.base.RestorationModule.test_step"])
def test_evaluation_hears_a_signal_in_its_data_and_in_its_test(
    evaluate_config: Callable[..., EvaluateSettings],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    ended: list[int],
    target: str,
) -> None:
    patch_slow(monkeypatch, target, signal.SIGTERM)
    monkeypatch.setattr(sys, "argv", ["evaluate.py"])
    assert enter(lambda: evaluate(evaluate_config("model=wiener", "baselines=[]"))) == 143
    assert capsys.readouterr().err.splitlines()[-1].startswith("interrupted by SIGTERM; what is finished is kept")
    assert not ended
