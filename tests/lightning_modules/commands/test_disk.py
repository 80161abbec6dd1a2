"""What a dry run tells of checkpoints and cache is what a training then writes, and it writes nothing itself."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import restore as restore_script
from conf.compose import group_files, untrained_methods
from conf.settings import TrainSettings
from datamodules.audio.tree import plan_jobs
from lightning_modules.commands.disk import Estimator, Need, restored_bytes, shortages, tell_need, tell_needs
from lightning_modules.commands.train import train

ROOT = Path(__file__).parents[3]
Config = Callable[..., TrainSettings]


@pytest.mark.parametrize("averaged", ["0.9", "null"])
def test_training_needs_what_was_told(train_config: Config, tmp_path: Path, averaged: str) -> None:
    settings = train_config(
        "model=unet_small",
        f"ema_decay={averaged}",
        f"data.cache_dir={tmp_path / 'cache'}",
        "trainer.max_epochs=1",
        "trainer.limit_train_batches=1",
        "examples=0",
    )
    need = Estimator().need(settings)
    assert not (tmp_path / "cache").exists() and not (tmp_path / "run").exists()
    train(settings)
    best, last = ((tmp_path / "run" / "checkpoints" / f"{name}.ckpt").stat().st_size for name in ("best", "last"))
    assert (best, last) == (pytest.approx(need.best_bytes, rel=0.03), pytest.approx(need.last_bytes, rel=0.03))
    assert last == pytest.approx((4 if averaged == "0.9" else 3) * best, rel=0.03)
    made = sum(path.stat().st_size for path in (tmp_path / "cache").rglob("*.shard"))
    assert made == pytest.approx(sum(need.arrays.values()), rel=0.05)
    assert Estimator().need(settings).arrays == {}


TRAINED = [name for name in group_files("model") if name not in untrained_methods()]
SMALL = [f"{name}_small" for name in TRAINED if f"{name}_small" in TRAINED]


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(name, marks=pytest.mark.slow if f"{name}_small" in SMALL or name.endswith("_published") else ())
        for name in TRAINED
    ],
)
def test_every_method_is_estimated(train_config: Config, model: str) -> None:
    config = train_config(f"model={model}", "data.sample_rate=16000")
    need = Estimator().need(config)
    average = config.ema_decay is not None
    moments = 0 if model in ("conv_rnn_published", "splice") else 2
    assert need.last_bytes == pytest.approx((1 + average + moments) * need.best_bytes, rel=0.02)


def test_jobs_add_up_and_share_the_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small, large = (1_000_000, 4_000_000, ["best", "last"]), (10_000_000, 40_000_000, ["best"])
    needs = [Need(*sizes, {"a": 1_000_000}) for sizes in (large, small)]
    assert tell_needs(needs, tmp_path / "none", tmp_path / "runs") == 0
    checkpoints, folder, cache = capsys.readouterr().out.splitlines()
    told = "2 jobs, of which the largest has best.ckpt 10.0 MB and last.ckpt 40.0 MB; 15.0 MB stay, and each training takes up"
    assert checkpoints == f"checkpoints: {told} to 80.0 MB more while it lasts"
    assert folder.startswith(f"checkpoints are kept in {tmp_path / 'runs'}; ") and folder.endswith(" are free there")
    assert cache.startswith(f"cache: up to 1.0 MB more in {tmp_path / 'none'}; ")


def test_single_dry_run_says_so(train_config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_need(train_config("model=unet_small", "keep_checkpoints=none")) == 0
    assert "best.ckpt 6.2 MB and last.ckpt 24.8 MB; 0.0 MB stay" in capsys.readouterr().out


class Disks:
    """Two file systems: one below a folder named `other`, and the rest."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: int, free_of_other: int) -> None:
        self._free, self._stat = {False: free, True: free_of_other}, os.stat
        monkeypatch.setattr("lightning_modules.commands.disk.os.stat", self.stat)
        monkeypatch.setattr("lightning_modules.commands.disk.shutil.disk_usage", self.usage)

    def stat(self, path: Path, **options: object) -> os.stat_result:
        found = self._stat(path, **options)
        is_other = not isinstance(path, int) and "other" in Path(os.fsdecode(path)).parts
        return os.stat_result([*found[:2], found[2] + 1, *found[3:]]) if is_other else found

    def usage(self, path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=self._free["other" in Path(path).parts])


def test_room_is_counted_by_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    Disks(monkeypatch, free=5_000_000, free_of_other=1_000_000)
    here, beside, there = tmp_path / "a" / "b", tmp_path / "c", tmp_path / "other" / "d"
    assert shortages([(here, 3_000_000), (beside, 2_000_000), (there, 1_000_000)]) == []
    assert shortages([(here, 3_000_000), (beside, 2_000_001)]) == [
        f"{here} and {beside}: up to 5.0 MB are needed, and 5.0 MB are free there"
    ]
    assert shortages([(here, 3_000_000), (there, 2_000_000)]) == [f"{there}: up to 2.0 MB are needed, and 1.0 MB are free there"]


def test_dry_run_without_room_for_checkpoints_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    Disks(monkeypatch, free=10**9, free_of_other=8_999_999)
    need = Need(1_000_000, 4_000_000, ["best", "last"], {"a": 5})
    assert tell_needs([need], tmp_path / "cache", tmp_path / "other" / "run") == 1
    assert capsys.readouterr().err == f"error: {tmp_path / 'other' / 'run'}: up to 9.0 MB are needed, and 9.0 MB are free there\n"
    assert tell_needs([need], tmp_path / "cache", tmp_path / "run") == 0


def test_restored_files_are_estimated_uncompressed_and_lossy_ones_as_their_sources(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, (1000, 2))
    for name, subtype in (("a.wav", "PCM_24"), ("b.flac", "PCM_16"), ("c.ogg", "VORBIS")):
        soundfile.write(tmp_path / "in" / name, signal, 8000, subtype=subtype)
    jobs, skipped = plan_jobs([tmp_path / "in"], tmp_path / "out")
    assert skipped == []
    assert restored_bytes(jobs) == 1000 * 2 * 3 + 1000 * 2 * 2 + (tmp_path / "in" / "c.ogg").stat().st_size


def test_restoring_notes_an_output_folder_without_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    soundfile.write(tmp_path / "a.wav", np.zeros(1_000_000), 8000, subtype="PCM_16")
    Disks(monkeypatch, free=10**9, free_of_other=1_000_000)
    assert restore_script.main(["sinc", str(tmp_path / "a.wav"), "-o", str(tmp_path / "other")]) == 0
    assert f"note: {tmp_path / 'other'}: up to 2.0 MB are needed, and 1.0 MB are free there\n" in capsys.readouterr().err


@pytest.mark.slow
def test_dry_run_of_a_sweep_counts_its_jobs_and_leaves_nothing(tmp_path: Path) -> None:
    command = ["train.py", "-m", "sweep=learning_rates", "model.optimizer.lr=1e-3,2e-3,0.001,4e-3", "dry_run=true"]
    settings = [f"data.cache_dir={tmp_path / 'cache'}", f"hydra.sweep.dir={tmp_path / 'sweep'}", "keep_checkpoints=best"]
    ended = subprocess.run([sys.executable, *command, *settings], cwd=ROOT, text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert "job 1: model.optimizer.lr=0.002" in ended.stdout
    assert "3 jobs; duplicates removed: 1; with a result already: 0" in ended.stdout
    assert "(1 different trainings timed, on noise)" in ended.stdout
    assert re.search(r"^time: about \d+ \w+ with 1 worker \(\d+ \w+ of training on one worker\)", ended.stdout, re.MULTILINE)
    assert "3 jobs, of which the largest has best.ckpt 6.2 MB and last.ckpt 24.8 MB; 18.6 MB stay" in ended.stdout
    assert list(tmp_path.iterdir()) == []
