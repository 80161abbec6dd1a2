"""Every script does all of its work on a console of 8 bits, and when nobody reads what it prints."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.conftest import tone

ROOT = Path(__file__).parent.parent
SMALL = ["model.net.depth=2", "model.net.channels=[4,8]", "model.net.kernels=[9,5]", "trainer=smoke", "logger=csv", "examples=1"]


def ended(command: list[str], encoding: str) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run([sys.executable, *command], cwd=ROOT, env=environment, capture_output=True)


@pytest.fixture(scope="session")
def ascii_run(tiny: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a run that was trained on a console of ASCII, and what it printed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    result = ended(["train.py", *tiny, *SMALL, "baselines=[wiener]", f"hydra.run.dir={folder}"], "ascii")
    assert result.returncode == 0, result.stderr.decode()
    return folder, result.stdout.decode("ascii")


def test_training_prints_its_table_in_ascii(ascii_run: tuple[Path, str]) -> None:
    folder, told = ascii_run
    assert "(* best control, + better than it, - worse than the input)" in told
    assert f"run folder: {folder}" in told


def test_files_of_a_run_can_be_stored_on_windows(ascii_run: tuple[Path, str]) -> None:
    names = [path.name for path in ascii_run[0].rglob("*")]
    assert {"result.json", "last.ckpt", "per_example.csv"} <= set(names)
    assert [name for name in names if set(name) & set('<>:"\\|?*') or name.endswith((".", " "))] == []


def test_evaluation_prints_its_table_in_cp1252(tiny: list[str], tmp_path: Path) -> None:
    few = ["model=wiener", "trainer.limit_test_batches=1", "logger=csv", "examples=0", "baselines=[]", "trainer.accelerator=cpu"]
    result = ended(["evaluate.py", *tiny, *few, f"hydra.run.dir={tmp_path / 'run'}"], "cp1252")
    assert result.returncode == 0, result.stderr.decode("cp1252")
    assert "(• best control, + better than it, - worse than the input)" in result.stdout.decode("cp1252")


def test_files_of_any_name_are_restored(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "déšť ▼.wav", tone(0), 4000)
    result = ended(
        ["restore.py", "wiener", str(tmp_path / "déšť ▼.wav"), str(tmp_path / "chybí č.wav"), "-o", str(tmp_path / "out")],
        "ascii",
    )
    assert result.returncode == 1
    assert (tmp_path / "out" / "déšť ▼.wav").exists()
    assert b"chyb\\xed \\u010d.wav" in result.stdout + result.stderr


def test_comparison_is_written(ascii_run: tuple[Path, str], tmp_path: Path) -> None:
    result = ended(["compare.py", str(ascii_run[0]), "-o", str(tmp_path / "report")], "ascii")
    assert result.returncode == 0, result.stderr.decode()
    assert (tmp_path / "report" / "index.html").exists()


def test_error_names_what_was_given() -> None:
    result = ended(["train.py", "model=síť"], "ascii")
    assert result.returncode == 1
    assert result.stderr.startswith(b"error: ") and b"s\\xed\\u0165" in result.stderr


def test_training_goes_on_when_nobody_reads_it(tiny: list[str], tmp_path: Path) -> None:
    command = [sys.executable, "train.py", *tiny, *SMALL, "baselines=[]", f"hydra.run.dir={tmp_path / 'run'}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith(b"training ")
        process.stdout.close()
        told = process.stderr.read()
    assert (process.returncode, told) == (0, b"")
    assert (tmp_path / "run" / "result.json").exists()
