"""A report that follows a sweep: written anew for every result, whole at any moment, and still when nobody watches any more."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import compare
from lightning_modules.commands.watching import watch
from tests.test_compare import ROOT, write_run


def test_work_is_repeated_for_new_results_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def work() -> int:
        seen.append(len(list(tmp_path.glob("*/result.json"))))
        return len(seen)

    later = iter([lambda: None, lambda: write_run(tmp_path / "a"), lambda: None, lambda: write_run(tmp_path / "b")])
    monkeypatch.setattr(time, "sleep", lambda seconds: next(later)())
    assert watch(work, [tmp_path], 0.1, until=2) == 2
    assert seen == [1, 2]


def test_page_refreshes_while_it_is_watched_and_then_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page, marked = tmp_path / "report" / "index.html", list[bool]()
    write_run(tmp_path / "runs" / "a")

    def next_run(seconds: float) -> None:
        marked.append('<meta name="clarion-refresh" content="0.5">' in page.read_text(encoding="utf-8"))
        write_run(tmp_path / "runs" / "b", value=9.0)

    monkeypatch.setattr(time, "sleep", next_run)
    assert compare.main([str(tmp_path / "runs"), "-o", str(tmp_path / "report"), "--watch", "0.5", "--until", "2"]) == 0
    assert marked == [True]
    text = page.read_text(encoding="utf-8")
    assert 'clarion-refresh" content' not in text
    assert "lr=9" in text and "lr=7" in text
    assert not list(page.parent.glob("*.partial"))


def test_end_without_watching_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        compare.main([str(tmp_path), "-o", str(tmp_path / "report"), "--until", "2"])
    assert "--until says when --watch ends" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.posix
def test_signal_ends_a_watch_with_its_report(tmp_path: Path) -> None:
    write_run(tmp_path / "runs" / "a")
    command = [sys.executable, "compare.py", str(tmp_path / "runs"), "-o", str(tmp_path / "report"), "--watch", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in process.stdout if line.startswith("blind test: "))
        os.kill(process.pid, signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, (line, told)
    assert told.endswith("interrupted by SIGINT; the report has the results until its last change\n")
    assert '<meta name="clarion-refresh"' not in (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
