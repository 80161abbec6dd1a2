"""A package of other people, as docs/plugins.md writes it, installed beside the environment: every script takes it."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^`([\w./]+)`.*?:\n\n```\w+\n(.*?)```", PAGE, flags=re.MULTILINE | re.DOTALL))
COMMANDS = [shlex.split(line) for line in re.findall(r"^python (.*)$", PAGE, flags=re.MULTILINE)]
TRAIN, RESUME, SWEEP, EVALUATE, RESTORE, COMPARE = COMMANDS
QUICK = ["logger=csv", "baselines=[]", "examples=0"]
RATE_HZ = 8000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the package of the page into a folder of its own."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    for name, code in FILES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(code, encoding="utf-8")
    install = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", *install, "--target", str(target), str(source)], check=True)
    return target


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working folder with recordings in train, val and test, and a song."""
    folder = tmp_path_factory.mktemp("work")
    for number, split in enumerate(("train", "train", "val", "test")):
        (folder / "DIR" / split).mkdir(parents=True, exist_ok=True)
        tone = 0.2 * np.sin(np.arange(2 * RATE_HZ) * (0.1 + 0.1 * number))
        soundfile.write(folder / "DIR" / split / f"{number}.wav", tone, RATE_HZ)
    soundfile.write(folder / "song.flac", tone, RATE_HZ)
    return folder


def run(folder: Path, site: Path | None, *command: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the working folder, where the package is installed or is not."""
    paths = [str(ROOT), *([str(site)] if site else [])]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CLARION_CACHE": str(folder / "cache")}
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def script(folder: Path, site: Path | None, command: list[str], *more: str) -> "subprocess.CompletedProcess[str]":
    return run(folder, site, str(ROOT / command[0]), *command[1:], *more)


def test_page_has_every_kind_of_part_and_every_script() -> None:
    assert [command[0] for command in COMMANDS] == ["train.py"] * 3 + ["evaluate.py", "restore.py", "compare.py"]
    assert {name.split("/")[2] for name in FILES if name.endswith(".yaml")} == {"model", "corruption", "data", "callbacks"}


TRAIN_AND_RESTORE = """
import sys
import clarion, restore, train

sys.argv[1:] = {train}
try:
    train.main()
except SystemExit as ended:
    assert ended.code == 0, ended.code
assert restore.main({restore} + ["--trust", "mypackage"]) == 0
assert restore.main({restore}) == 2
print(clarion.load("runs/NAME", trust=["mypackage"]))
"""


def test_package_trains_and_restores(folder: Path, site: Path) -> None:
    given = {"train": [*TRAIN[1:], *QUICK, "monitor=val/peak_error_db", "mode=min"], "restore": RESTORE[1:-2]}
    done = run(folder, site, "-c", TRAIN_AND_RESTORE.format(**given))
    assert done.returncode == 0, done.stderr[-3000:]
    assert "mypackage: trained for 1 epochs" in done.stdout
    refused = done.stderr.splitlines()[-1]
    assert "_target_ 'mypackage.recipe.MyRecipe' is refused" in refused
    assert "if you trust the package mypackage, add plugins=[mypackage] (restore.py: --trust mypackage)" in refused
    result = json.loads((folder / "runs" / "NAME" / "result.json").read_text(encoding="utf-8"))
    assert (result["status"], result["monitor"], result["problems"]) == ("finished", "val/peak_error_db", [])
    assert result["metrics"]["test/corrupted_peak_error_db"] > 0
    assert (folder / "out" / "song.flac").is_file()


@pytest.mark.slow
def test_every_command_of_the_page_runs(folder: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / "DIR").symlink_to(folder / "DIR")
    (tmp_path / "song.flac").symlink_to(folder / "song.flac")
    for command, more in ((TRAIN, QUICK), (RESUME, QUICK), (SWEEP, QUICK), (EVALUATE, QUICK[1:]), (RESTORE, []), (COMPARE, [])):
        done = script(tmp_path, None if command is COMPARE else site, command, *more)
        assert done.returncode == 0, (command, done.stderr[-3000:])
    assert json.loads((tmp_path / "runs" / "NAME" / "result.json").read_text(encoding="utf-8"))["epochs"] == 2
    (sweep,) = tmp_path.glob("multirun/*/sweep.json")
    assert [job["status"] for job in json.loads(sweep.read_text(encoding="utf-8"))["jobs"].values()] == ["finished"] * 2
    assert len(list(tmp_path.glob("evaluations/*/result.json"))) == 1
    assert "peak_error_db" in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_sweep_with_a_search_path_of_its_own_hands_it_to_its_jobs(folder: Path, site: Path, tmp_path: Path) -> None:
    (tmp_path / "DIR").symlink_to(folder / "DIR")
    place = "hydra.searchpath=[pkg://sweeps,pkg://mypackage.conf]"
    done = script(tmp_path, site, SWEEP, place, *QUICK, "objectives=[val/peak_error_db]")
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list(tmp_path.glob("multirun/*/*/result.json"))) == 2


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["train.py", "plugins=[mypackage]"], "plugins: no package mypackage is installed in"),
        (
            ["evaluate.py", "plugins=[os]", "model=wiener"],
            "plugins: os is part of this project, of Python",
        ),
        (
            ["train.py", "data=synthetic", "corruption._target_=mypackage.hum.Hum", "trainer=smoke"],
            "plugins names: plugins=[mypackage]",
        ),
    ],
    ids=["not installed", "standard library", "not listed"],
)
def test_without_the_plugin_a_sentence_says_what_to_do(folder: Path, command: list[str], sentence: str) -> None:
    done = script(folder, None, command)
    assert done.returncode in (1, 2)
    assert sentence in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr
