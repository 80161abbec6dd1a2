"""Every benchmark says how it is used, and takes nothing that it does not know for work."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = [path for path in sorted(BENCHMARKS.glob("*.py")) if "__main__" in path.read_text(encoding="utf-8")]


def answer(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, script, *arguments], capture_output=True, text=True, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_asked_for_help_a_benchmark_says_its_usage_and_ends(script: Path) -> None:
    asked = answer(script, "--help")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith(f"usage: {script.name}")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_an_unknown_option_is_refused_by_name(script: Path) -> None:
    refused = answer(script, "--no-such-option")
    assert refused.returncode == 2
    assert "no-such-option" in refused.stderr or "required" in refused.stderr


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    refused = answer(BENCHMARKS / "metrics_order.py", str(tmp_path / "absent"))
    assert refused.returncode == 1
    assert refused.stderr == f"{tmp_path / 'absent'} is not a folder\n"
