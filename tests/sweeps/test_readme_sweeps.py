"""Every sweep of the README and of the pages in docs/ runs, cut to its first job."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sweeps.extras import SWEEPS, missing_extra
from sweeps.records import jobs_of

ROOT = Path(__file__).parents[2]
PAGES = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))
FOUND = re.findall(r"^    python train.py (-m .*)$", PAGES, flags=re.MULTILINE)
COMMANDS = [command for command in dict.fromkeys(FOUND) if "$" not in command and not command.endswith("\\")]
QUICK = ["trainer=smoke", "logger=csv", "baselines=[]", "examples=1", "data.sample_rate=4000", "data.window_samples=512"]
QUICK += ["data.batch_size=2", "data.eval_seconds=1.0"]


def first_of_each(arguments: list[str]) -> Iterator[str]:
    """Narrow a command to one job: of every list its first value, of an Optuna study one trial."""
    yield from (argument.split(",")[0] for argument in arguments)
    given = {argument.split("=")[0] for argument in arguments}
    name = next((argument.removeprefix("sweep=") for argument in arguments if argument.startswith("sweep=")), None)
    sweeper = (
        yaml.safe_load((SWEEPS / f"{name}.yaml").read_text(encoding="utf-8"))["hydra"]["sweeper"] if name else {"params": {}}
    )
    if "n_trials" in sweeper:
        yield "hydra.sweeper.n_trials=1"
    else:
        yield from (f"{key}={str(values).split(',')[0]}" for key, values in sweeper["params"].items() if key not in given)


def test_readme_has_sweeps() -> None:
    assert len(COMMANDS) >= 4


@pytest.mark.pages
@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_sweep_of_the_readme_runs(command: str, music: Path, tmp_path: Path) -> None:
    arguments = shlex.split(command)
    if missing_extra(arguments):
        pytest.skip("needs the sweeps extra")
    given = [argument.replace("=DIR", f"={music}") for argument in first_of_each(arguments)]
    cluster = ["+hydra.launcher.ray.init.num_gpus=1"] if "hydra/launcher=ray" in arguments else []
    split = ["data.split=recordings"] if "sweep=stereo_autoencoder" in arguments else []  # the test's recordings are no songs
    folders = [f"hydra.sweep.dir={tmp_path / 'sweep'}", f"data.cache_dir={tmp_path / 'cache'}"]
    ended = subprocess.run(
        [sys.executable, "train.py", *given, *QUICK, *split, *cluster, *folders], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    ran = [] if "dry_run=true" in arguments else ["finished"]
    assert [job.status for job in jobs_of(tmp_path / "sweep").values()] == ran
