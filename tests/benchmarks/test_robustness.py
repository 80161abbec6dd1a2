"""What damage and hostility do not do, a few seeded cases of each kind; `python -m benchmarks.robustness` tries hundreds."""

import logging
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.mutations import whole_file
from benchmarks.robustness import arguments, checkpoints, files, folders, runs, values
from benchmarks.robustness.__main__ import kinds
from benchmarks.robustness.commands import Spoken
from benchmarks.robustness.damage import FORMS, Form
from benchmarks.robustness.run_folders import write_checkpoint
from benchmarks.robustness.tally import HEADER, BrokenError, count_held
from tests.processes import is_alive

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs forks and /proc")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize(
    ("form", "part"),
    [
        ("other value", "result.json"),
        ("merge keys", "config.yaml"),
        ("half-written line", "epochs.jsonl"),
        ("socket", "per_example.csv"),
        ("device", "config.yaml"),
        ("circle of links", "job.json"),
        ("truncated", "run.json"),
        ("one bit", "checkpoints/last.ckpt"),
    ],
)
def test_damaged_run_costs_neither_the_report_nor_a_resume(tmp_path: Path, form: str, part: str) -> None:
    runs.write_runs(tmp_path / "whole")
    runs.try_one(tmp_path, FORMS[form], part, random.Random(0))


def test_damaged_run_that_a_report_does_not_name_is_told(tmp_path: Path) -> None:
    runs.write_runs(tmp_path / "runs")
    (tmp_path / "runs" / "bad" / "epochs.jsonl").unlink()
    runs.check_report(tmp_path / "runs", tmp_path / "report")
    with pytest.raises(BrokenError, match=r"does not name epochs\.jsonl"):
        runs.check_report(tmp_path / "runs", tmp_path / "report", "epochs.jsonl")


@pytest.mark.parametrize(("name", "form"), list(checkpoints.entries()), ids=lambda value: value if isinstance(value, str) else "")
def test_hostile_checkpoint_is_refused_in_a_sentence(tmp_path: Path, name: str, form: Form) -> None:
    write_checkpoint(tmp_path / "whole.ckpt")
    checkpoints.try_one(tmp_path, form, random.Random(0))


@pytest.mark.parametrize("kind", [files, arguments, values], ids=lambda kind: kind.__name__)
def test_first_cases_of_a_kind_hold(tmp_path: Path, kind: ModuleType) -> None:
    some = islice(kind.cases(3, 0, tmp_path / "work"), 3)
    (tmp_path / "work").mkdir()
    tally = count_held("some", some, tmp_path, lambda: None)
    assert (tally.held, tally.broken) == (3, {})


CHOICE = values.Trial("evaluate", ("model=wiener",), "callbacks", "abc", 'callbacks="abc"')


def test_choice_that_a_script_does_not_have_is_refused_with_what_was_given(tmp_path: Path) -> None:
    case = partial(values.try_one, tmp_path / "work", CHOICE)
    assert count_held("some", [("one", case)], tmp_path, lambda: None).broken == {}


@pytest.mark.parametrize("told", ["callbacks is no choice", "callbacks=abc is no choice of this configuration"])
def test_answer_without_key_value_and_what_is_allowed_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    monkeypatch.setattr(values, "_answer", lambda *given: Spoken(1, "", f"error: {told}\n"))
    with pytest.raises(BrokenError, match="does not (name key and value|say what is allowed)"):
        values.try_one(tmp_path, CHOICE)


@pytest.mark.parametrize(("container", "least"), [("w64", 16000), ("mp3", 16000 - files.MP3_DELAY_FRAMES), ("wav", 16000)])
def test_frames_are_counted_without_the_reader_that_is_tried(tmp_path: Path, container: str, least: int) -> None:
    path = tmp_path / f"a.{container}"
    path.write_bytes(whole_file(container))
    assert least <= files.decoded_frames(path) <= 16000
    if container == "w64":
        path.write_bytes(whole_file(container) + bytes(4000))
        assert files.decoded_frames(path) == 16000
        path.write_bytes(whole_file(container)[:-4000])
        assert files.decoded_frames(path) == 15000


@pytest.mark.slow
def test_folder_of_damaged_files_is_trained_on_and_evaluated(tmp_path: Path) -> None:
    case = partial(folders.try_one, tmp_path / "folder", list(files.damaged(12, 0)))
    assert count_held("folder", [("one", case)], tmp_path, lambda: None).broken == {}


def test_kinds_are_the_modules_with_cases() -> None:
    assert kinds() == ["arguments", "checkpoints", "files", "kills", "runs", "values"]


def test_cases_that_do_not_hold_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise BrokenError("a reason")

    def fails() -> None:
        raise ZeroDivisionError

    tally = count_held("some", [("one", lambda: None), ("two", broken), ("three", fails)], tmp_path, lambda: None)
    assert (tally.tried, tally.held, tally.broken["two"]) == (3, 1, "a reason")
    assert "ZeroDivisionError" in tally.broken["three"]
    assert "not held: two: a reason" in capsys.readouterr().out


def test_slowest_case_is_named_in_the_row(tmp_path: Path) -> None:
    cases = [("one", lambda: None), ("two | 2", lambda: time.sleep(0.5)), ("three", lambda: None)]
    tally = count_held("some", cases, tmp_path, lambda: None)
    assert tally.slowest_seconds >= 0.5
    *_, seconds, which = tally.row().strip("| ").split(" | ")
    assert (float(seconds), which) == (round(tally.slowest_seconds, 1), "two / 2")
    assert tally.row().count("|") == HEADER.splitlines()[0].count("|")


@pytest.mark.parametrize(("waits", "held"), [(60, 0), (0, 1)])
def test_what_a_case_has_started_ends_with_it(tmp_path: Path, waits: int, held: int) -> None:
    def case() -> None:
        other = os.fork()
        if other == 0:
            time.sleep(60)
            os._exit(0)
        (tmp_path / "other").write_text(str(other), encoding="utf-8")
        time.sleep(waits)

    tally = count_held("some", [("one", case)], tmp_path, lambda: None, seconds=1)
    assert tally.held == held
    limit = time.monotonic() + 10
    while is_alive(int((tmp_path / "other").read_text(encoding="utf-8"))):
        assert time.monotonic() < limit
        time.sleep(0.01)


def test_other_systems_are_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SystemExit, match="error: .* needs Linux, .*; this is darwin"):
        count_held("some", [], tmp_path, lambda: None)


def test_cases_are_forked_by_a_process_of_one_thread() -> None:
    said = "import benchmarks.robustness, torch; print(torch.get_num_threads())"
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    ended = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout.strip() == "1"
