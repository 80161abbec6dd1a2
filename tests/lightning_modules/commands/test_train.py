"""Training from the real configuration: what it leaves behind, what it refuses, and that a killed run loses nothing."""

import csv
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from conf.compose import untrained_methods
from conf.settings import TrainSettings
from lightning_modules.commands.train import BrokenRunError, end_of_a_broken_run, train
from lightning_modules.runs.end import exit_code

TINY_NET = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]"]
ROOT = Path(__file__).parents[3]
MODELS = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "conf" / "model").glob("*.yaml")}
SIZES = ("_literal", "_published")
FULL_SIZE = {name for name in MODELS if f"{name}_small" in MODELS or name.endswith(SIZES)} - {"encoder_decoder_published"}
TRAINED = [  # a full-size method, which has a smaller sibling, is trained in the slow tier only
    pytest.param(name, marks=pytest.mark.slow if name in FULL_SIZE else ())
    for name in sorted(set(MODELS) - set(untrained_methods()))
]
Config = Callable[..., TrainSettings]


@pytest.mark.parametrize("model", TRAINED)
def test_every_trainable_method_trains_and_leaves_its_results(train_config: Config, tmp_path: Path, model: str) -> None:
    channels = 2 if model.startswith("stereo_autoencoder") else 1
    shrunk = ["data.max_recordings.test=2", "examples=2", f"data.channels={channels}"]
    train(train_config("trainer=smoke", f"model={model}", *shrunk))
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert result["status"] == "finished"
    assert math.isfinite(result["metrics"]["test/si_sdr_db"])
    assert set(result["methods"]) == {"corrupted", "method"}
    assert len(list((tmp_path / "run" / "examples").glob("*.flac"))) == 6
    assert len(list((tmp_path / "run" / "examples").glob("*[0-9].png"))) == 2
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").is_file()
    assert (tmp_path / "run" / "config.yaml").is_file()


@pytest.mark.parametrize(
    "sample_rate", [48000, *(pytest.param(rate, marks=pytest.mark.slow) for rate in (4000, 11025, 22255, 47999, 96000, 200000))]
)
def test_training_at_any_rate_ends_with_the_default_baselines_scored(
    train_config: Config, tmp_path: Path, sample_rate: int
) -> None:
    shrunk = ["trainer=smoke", *TINY_NET, "examples=1", "trainer.limit_test_batches=1"]
    named = "baselines=[wiener,sinc,cubic_spline,spline_white,noise_fill]"
    result = train(train_config(*shrunk, named, "data.eval_seconds=0.7", f"data.sample_rate={sample_rate}"))
    assert (result["status"], result["sample_rate_hz"]) == ("finished", sample_rate)
    assert len(result["methods"]) == 7
    assert all(math.isfinite(row["si_sdr_db"]) for row in result["methods"].values())
    heard = {path.stem for path in (tmp_path / "run" / "examples").glob("*.flac")}
    assert heard >= {"0000_clean", "0000_corrupted", "0000_restored"}


def test_method_in_steps_leaves_a_table_and_pictures_of_them(train_config: Config, tmp_path: Path) -> None:
    shrunk = ["model.net.state_channels=4", "model.net.hidden_channels=8", "model.net.steps=3"]
    result = train(train_config("model=conv_rnn", *shrunk, "examples=1"))
    folder = tmp_path / "run"
    with (folder / "by_step.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "1", "2", "3"]
    for metric in ("si_sdr_db", "lsd"):
        assert float(rows[0][metric]) == pytest.approx(result["metrics"][f"test/corrupted_{metric}"], abs=1e-3)
        assert float(rows[3][metric]) == pytest.approx(result["metrics"][f"test/{metric}"], abs=1e-3)
    assert (folder / "by_step.png").is_file() and (folder / "examples" / "0000_steps.png").is_file()


def test_training_whose_test_fails_keeps_what_it_knows(
    train_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*arguments: Any) -> None:
        raise KeyError("lsd")

    monkeypatch.setattr("lightning_modules.commands.train.score_pairs", fail)
    result = train(train_config("trainer=smoke", *TINY_NET))
    assert result == json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert (result["status"], exit_code(result)) == ("finished", 1)
    assert result["problems"] == ["the test: KeyError: 'lsd'"]
    assert math.isfinite(result["validation"]["val/si_sdr_db"])
    assert Path(result["checkpoint"]).is_file()
    assert "error: the test failed, and the rest goes on: KeyError: 'lsd'" in capsys.readouterr().err


def test_result_agrees_with_the_rows_and_the_corrupted_columns(train_config: Config, tmp_path: Path) -> None:
    result = train(train_config(*TINY_NET))
    with (tmp_path / "run" / "per_example.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for column in ("snr_db", "corrupted_snr_db", "lsd"):
        mean = sum(float(row[column]) for row in rows) / len(rows)
        assert result["metrics"][f"test/{column}"] == pytest.approx(mean)
    assert {row["file"] for row in rows} == {"08.wav", "09.wav", "10.wav"}


def test_same_seed_gives_the_same_weights_and_another_seed_others(train_config: Config, tmp_path: Path) -> None:
    for run, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(train_config(*TINY_NET, f"seed={seed}", run=run))
    first, again, other = (last_weights(tmp_path / run) for run in "abc")
    assert same(first, again)
    assert not same(first, other)


def test_run_that_no_longer_improves_stops_early(train_config: Config) -> None:
    result = train(
        train_config(
            *TINY_NET,
            "model.optimizer.lr=0",
            "callbacks=early_stopping",
            "callbacks.early_stopping.patience=2",
            "trainer.max_epochs=30",
        )
    )
    assert result["epochs"] == 3


@pytest.mark.parametrize("ema", ["0.9", pytest.param("null", marks=pytest.mark.slow)])
def test_run_resumed_at_an_epoch_end_equals_the_uninterrupted_one(
    train_config: Config, tmp_path: Path, ema: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [*TINY_NET, "model.net.dropout=0.3", "scheduler@model.scheduler=plateau", f"ema_decay={ema}"]
    train(train_config(*settings, "trainer.max_epochs=3", run="whole"))
    train(train_config(*settings, "trainer.max_epochs=1", run="parts"))
    assert "goes on from" not in capsys.readouterr().out
    train(train_config(*settings, "trainer.max_epochs=3", f"resume={tmp_path / 'parts'}", run="parts"))
    assert f"goes on from {tmp_path / 'parts' / 'checkpoints' / 'last.ckpt'}\n" in capsys.readouterr().out
    assert same(last_weights(tmp_path / "whole"), last_weights(tmp_path / "parts"))


@pytest.mark.posix
def test_killed_run_continues_to_the_same_bits(tiny: list[str], tmp_path: Path) -> None:
    settings = [
        *tiny,
        *TINY_NET,
        "trainer=cpu",
        "trainer.max_epochs=6",
        "logger=csv",
        "baselines=[]",
        "data.samples_per_epoch=64",
    ]
    killed = start(settings, tmp_path / "killed")
    wait_for(tmp_path / "killed" / "one" / "checkpoints" / "last.ckpt", killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    saved = torch.load(tmp_path / "killed" / "one" / "checkpoints" / "last.ckpt", weights_only=True)
    assert saved["epoch"] < 19
    assert not (tmp_path / "killed" / "one" / "result.json").exists()
    assert start([*settings, "resume=auto"], tmp_path / "killed", "two").wait() == 0
    assert start(settings, tmp_path / "whole").wait() == 0
    assert not (tmp_path / "killed" / "two").exists()
    assert same(last_weights(tmp_path / "killed" / "one"), last_weights(tmp_path / "whole" / "one"))


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGTERM])
def test_signal_ends_a_run_with_its_results_written(tiny: list[str], tmp_path: Path, number: signal.Signals) -> None:
    process = start(
        [*tiny, *TINY_NET, "trainer=cpu", "trainer.max_epochs=-1", "trainer.max_time=00:01:00:00", "logger=csv", "baselines=[]"],
        tmp_path,
    )
    wait_for(tmp_path / "one" / "checkpoints" / "last.ckpt", process)
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    result = json.loads((tmp_path / "one" / "result.json").read_text(encoding="utf-8"))
    assert result["status"] == "interrupted"
    assert "test/si_sdr_db" in result["metrics"]


def test_non_finite_loss_stops_and_names_the_batch(train_config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lightning_modules import regression

    calls: list[int] = []

    def explode(terms: dict[str, torch.Tensor], weights: dict[str, float]) -> torch.Tensor:
        calls.append(1)
        return terms["log_mse"] * (math.nan if len(calls) == 6 else 1.0)

    monkeypatch.setattr(regression, "weighted_sum", explode)
    with pytest.raises(BrokenRunError, match="indices .*nonfinite.json, the last good checkpoint is kept"):
        train(train_config(*TINY_NET))
    report = json.loads((tmp_path / "run" / "nonfinite.json").read_text(encoding="utf-8"))
    assert report == {"indices": [20, 21, 22, 23], "epoch": 1, "global_step": 5}
    assert end_of_a_broken_run(ValueError("x"), tmp_path / "run").endswith("nonfinite.json, the last good checkpoint is kept")
    assert end_of_a_broken_run(ValueError("x"), tmp_path) == f"x; see {tmp_path / 'nonfinite.json'}"
    kept = torch.load(tmp_path / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    assert kept["epoch"] == 0
    assert all(value.isfinite().all() for value in kept["state_dict"].values())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["monitor=val/sisdr"], "monitor=val/sisdr must be val/snr_db"),
        (["monitor=val/lsd"], "set mode=min"),
        (["data.root=/nonexistent"], "data.root"),
        (["data.window_samples=100000"], "data.window_samples=100000"),
        (["+model.loss_weights.l3=1"], "model.loss_weights.l3=1 is no key"),
        (["baselines=[weiner]"], "did you mean wiener"),
        (["trainer=gpu"], "trainer.accelerator=gpu"),
        (["trainer.max_time=5m"], "trainer.max_time=5m must be"),
        (["data.batch_size=abc"], "data.batch_size=abc must be"),
        (["model.net.depth=abc"], "model.net.depth=abc must be"),
        (["trainer.limit_val_batches=0"], "limit_val_batches=0"),
    ],
)
def test_mistake_is_one_sentence_before_any_training(
    train_config: Config, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train(train_config(*TINY_NET, *overrides))
    assert not (tmp_path / "run").exists()


def test_window_that_is_too_short_for_the_network_is_refused(train_config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.unet.UNet.min_samples", 1000)
    with pytest.raises(ValueError, match="data.window_samples=512 must be at least 1000, the shortest that model.net takes"):
        train(train_config(*TINY_NET))


def test_two_loggers_write_side_by_side(train_config: Config, tmp_path: Path) -> None:
    train(train_config("trainer=smoke", *TINY_NET, "logger=[csv,wandb]", "examples=0"))
    assert len(list((tmp_path / "run" / "csv").glob("version_0/metrics.csv"))) == 1
    assert len(list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))) == 1


def test_training_without_a_logger(train_config: Config, tmp_path: Path) -> None:
    settings = train_config("trainer=smoke", *TINY_NET, "~logger", "examples=0")
    train(settings)
    assert not list((tmp_path / "run").glob("*/version_0")) and not (tmp_path / "run" / "wandb").exists()


@pytest.mark.slow
def test_two_processes_leave_one_run_whose_pairs_count_once(tiny: list[str], tmp_path: Path) -> None:
    settings = [*tiny, *TINY_NET, "trainer=cpu", "trainer.max_epochs=1", "logger=csv", "baselines=[sinc]"]
    assert start([*settings, "+trainer.strategy=ddp", "trainer.devices=2"], tmp_path).wait(timeout=120) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["one"]
    result = json.loads((tmp_path / "one" / "result.json").read_text(encoding="utf-8"))
    with (tmp_path / "one" / "per_example.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len({row["index"] for row in rows}) == len(rows) == result["pairs"] == 6
    assert result["methods"]["corrupted"]["snr_db"] == pytest.approx(sum(float(row["corrupted_snr_db"]) for row in rows) / 6)


def test_mistake_on_the_command_line_has_no_traceback(tmp_path: Path) -> None:
    process = start(["data=folder", "data.root=/nonexistent"], tmp_path, stderr=subprocess.PIPE)
    _, stderr = process.communicate()
    assert process.returncode == 1
    assert stderr.startswith("error: ")
    assert len(stderr.strip().splitlines()) == 1


def start(overrides: list[str], runs: Path, name: str = "one", **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "train.py", *overrides, f"hydra.run.dir={runs / name}", "trainer.enable_progress_bar=false"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, text=True, env=environment, stdout=subprocess.DEVNULL, **options)


def wait_for(path: Path, process: subprocess.Popen[str], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert process.poll() is None, "the run ended before it was to be interrupted"
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def last_weights(run: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return weights


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(value, second[name]) for name, value in first.items())


@pytest.mark.slow
@pytest.mark.parametrize("model", [name for name, text in sorted(MODELS.items()) if "lightning_modules.base." not in text])
def test_smoke_of_every_method_is_a_whole_run_of_seconds(tmp_path: Path, model: str) -> None:
    """Published sizes included: at most a minute of two cores, which is half a minute on the wall of a machine that is free."""
    command = [sys.executable, "benchmarks/smoke_times.py", "--one", model, str(tmp_path / "run"), str(tmp_path / "cache")]
    for _ in range(2):  # the first also renders the music
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        ended = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "2"})
        assert ended.returncode == 0, ended.stderr
    result = json.loads((tmp_path / "run" / "result.json").read_text(encoding="utf-8"))
    assert (result["status"], result["pairs"], result["problems"]) == ("finished", 1, [])
    controls = {"wiener", "sinc", "cubic_spline", "spline_white", "noise_fill", "ar_declick", "consistent_declip"}
    assert set(result["methods"]) == {"corrupted", *controls, model}
    assert {path.name for path in (tmp_path / "run" / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert (tmp_path / "run" / "examples" / "0000.png").is_file()
    assert float(ended.stdout.split()[-1]) < 60
