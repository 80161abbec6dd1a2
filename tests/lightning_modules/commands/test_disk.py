"""What a dry run tells of checkpoints and cache is what a training then writes, and it writes nothing itself."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conf.compose import group_files, untrained_methods
from conf.settings import TrainSettings
from lightning_modules.commands.disk import Estimator, Need, needs_told, tell_need
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
    made = sum(path.stat().st_size for path in (tmp_path / "cache").glob("*.npy"))
    assert made == pytest.approx(sum(need.arrays.values()), rel=0.05)
    assert Estimator().need(settings).arrays == {}


TRAINED = [name for name in group_files("model") if name not in untrained_methods()]
SMALL = [f"{name}_small" for name in TRAINED if f"{name}_small" in TRAINED]


@pytest.mark.parametrize(
    "model", [pytest.param(name, marks=pytest.mark.slow if f"{name}_small" in SMALL else ()) for name in TRAINED]
)
def test_every_method_is_estimated(train_config: Config, model: str) -> None:
    need = Estimator().need(train_config(f"model={model}", "data.sample_rate=16000"))
    assert need.last_bytes == pytest.approx(4 * need.best_bytes, rel=0.02)


def test_jobs_add_up_and_share_the_cache(tmp_path: Path) -> None:
    small, large = (1_000_000, 4_000_000, ["best", "last"]), (10_000_000, 40_000_000, ["best"])
    needs = [Need(*sizes, {"a": 1_000_000}) for sizes in (large, small)]
    checkpoints, cache = needs_told(needs, tmp_path / "none").splitlines()
    told = "2 jobs, of which the largest has best.ckpt 10.0 MB and last.ckpt 40.0 MB; 15.0 MB stay, and each training takes up"
    assert checkpoints == f"checkpoints: {told} to 80.0 MB more while it lasts"
    assert cache.startswith(f"cache: up to 1.0 MB more in {tmp_path / 'none'}; ")


def test_single_dry_run_says_so_in_two_lines(train_config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    assert tell_need(train_config("model=unet_small", "keep_checkpoints=none")) == 0
    assert "best.ckpt 6.2 MB and last.ckpt 24.8 MB; 0.0 MB stay" in capsys.readouterr().out


@pytest.mark.slow
def test_dry_run_of_a_sweep_counts_its_jobs_and_leaves_nothing(tmp_path: Path) -> None:
    command = ["train.py", "-m", "sweep=learning_rates", "model.optimizer.lr=1e-3,2e-3,4e-3", "dry_run=true"]
    settings = [f"data.cache_dir={tmp_path / 'cache'}", f"hydra.sweep.dir={tmp_path / 'sweep'}", "keep_checkpoints=best"]
    ended = subprocess.run([sys.executable, *command, *settings], cwd=ROOT, text=True, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert "3 jobs, of which the largest has best.ckpt 6.2 MB and last.ckpt 24.8 MB; 18.6 MB stay" in ended.stdout
    assert list(tmp_path.iterdir()) == []
