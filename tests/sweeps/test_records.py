"""What is written about jobs can be read, in the order of their numbers, and told in a line."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_modules.runs.damage import DamagedFileError
from sweeps.records import (
    Job,
    claim,
    command_of,
    damaged_jobs,
    describe,
    jobs_of,
    next_number,
    own_overrides,
    read_job,
    tail,
    write_sweep,
)


def job(**facts: object) -> Job:
    return Job("i", ["a=1"], ["python", "train.py", "a=1"], **facts)  # type: ignore[arg-type]


def test_record_comes_back(tmp_path: Path) -> None:
    written = job(status="finished", exit_code=0, seconds=1.5, objectives={"val/lsd": 1.0})
    written.write(tmp_path)
    assert read_job(tmp_path) == written


def test_folder_is_claimed_once(tmp_path: Path) -> None:
    assert claim(tmp_path / "0")
    assert not claim(tmp_path / "0")


def test_jobs_are_in_the_order_of_their_numbers_and_claims_are_none(tmp_path: Path) -> None:
    for name in ("10", "9", "x", "11"):
        claim(tmp_path / name)
        if name != "11":
            job().write(tmp_path / name)
    assert [folder.name for folder in jobs_of(tmp_path)] == ["x", "9", "10"]
    assert next_number(jobs_of(tmp_path)) == 11
    assert next_number([]) == 0


def test_sweep_lists_every_job(tmp_path: Path) -> None:
    write_sweep(tmp_path, ["train.py", "-m"], {tmp_path / "0": job(status="failed", exit_code=137)})
    stored = json.loads((tmp_path / "sweep.json").read_text(encoding="utf-8"))
    assert stored["command"] == ["train.py", "-m"]
    assert stored["jobs"]["0"]["exit_code"] == 137
    assert command_of(tmp_path) == ["train.py", "-m"]
    (tmp_path / "sweep.json").write_text('{"command": 3}', encoding="utf-8")
    assert command_of(tmp_path) == []
    assert command_of(tmp_path / "none") == []


def test_only_the_end_of_an_output_is_kept(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"\xff\n" + b"".join(b"%d\n" % number for number in range(30)))
    assert tail(tmp_path / "log") == [str(number) for number in range(10, 30)]


def test_failed_job_is_told_with_its_reason_and_the_place_of_the_rest() -> None:
    lines = ["Traceback", "ValueError: too loud", "full_key: model", ""]
    told = describe(Path("sweep/3"), job(status="failed", exit_code=1, last_lines=lines))
    assert told == "job 3: failed with exit code 1: ValueError: too loud (see sweep/3/output.log)"
    told = describe(Path("sweep/3"), job(status="failed", exit_code=137, last_lines=["Epoch 2"]))
    assert told == "job 3: failed with exit code 137: killed, as for want of memory, after: Epoch 2 (see sweep/3/output.log)"
    told = describe(Path("sweep/3"), job(status="failed", exit_code=1, last_lines=["error: too loud"]))
    assert told == "job 3: failed with exit code 1: too loud (see sweep/3/output.log)"
    assert describe(Path("sweep/3"), job()) == "job 3: was cut off (see sweep/3/output.log)"
    assert "no output" in describe(Path("sweep/3"), job(status="failed", exit_code=137))


def test_finished_job_is_told_with_its_values() -> None:
    told = describe(Path("sweep/3"), job(status="finished", objectives={"val/lsd": 1.25, "val/snr_db": None}))
    assert told == "job 3: finished, val/lsd 1.250"


def test_job_that_was_only_tried_says_that_nothing_is_kept() -> None:
    assert describe(Path("sweep/3"), job(status="tried", objectives={"val/lsd": None})) == "job 3: tried, nothing is kept"


def test_job_is_named_by_what_the_others_do_not_have() -> None:
    jobs = {Path("s/0"): Job("i", ["lr=1", "data=folder"], []), Path("s/1"): Job("j", ["lr=2", "data=folder"], [])}
    assert own_overrides(jobs) == {Path("s/0"): ["lr=1"], Path("s/1"): ["lr=2"]}
    assert own_overrides({}) == {}
    assert describe(Path("s/1"), jobs[Path("s/1")], ["lr=2"]) == "job 1 (lr=2): was cut off (see s/1/output.log)"


DAMAGED = [b"{", b"[]", b"\x00\xff", b"{}", b'{"identity": 1}', b"null", b"[" * 50_000]


@pytest.mark.parametrize("content", DAMAGED, ids=lambda content: repr(content)[:20])
def test_damaged_record_is_named_and_its_number_stays_taken(tmp_path: Path, content: bytes) -> None:
    job().write(claimed(tmp_path / "0"))
    (claimed(tmp_path / "1") / "job.json").write_bytes(content)
    assert list(jobs_of(tmp_path)) == [tmp_path / "0"]
    (sentence,) = damaged_jobs(tmp_path)
    assert sentence.startswith(f"{tmp_path / '1' / 'job.json'} is damaged: ")
    assert not claim(tmp_path / "1")


@pytest.mark.posix
@pytest.mark.parametrize("make", [os.mkdir, lambda path: os.mkfifo(path), lambda path: path.symlink_to("nowhere")])
def test_record_that_is_no_file_is_named_and_not_opened(tmp_path: Path, make: Callable[[Path], None]) -> None:
    (tmp_path / "0").mkdir()
    make(tmp_path / "0" / "job.json")
    assert jobs_of(tmp_path) == {}
    assert not claim(tmp_path / "0")
    assert all(str(tmp_path / "0" / "job.json") in sentence for sentence in damaged_jobs(tmp_path))


@pytest.mark.parametrize(
    ("key", "value"),
    [("overrides", "a=1"), ("command", [1]), ("exit_code", "0"), ("objectives", {"val/lsd": "x"}), ("status", None)],
)
def test_record_with_a_wrong_value_is_damaged(tmp_path: Path, key: str, value: object) -> None:
    job().write(tmp_path)
    content = json.loads((tmp_path / "job.json").read_text(encoding="utf-8")) | {key: value}
    (tmp_path / "job.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DamagedFileError, match=f"job.json is damaged: {key} is "):
        read_job(tmp_path)


def claimed(folder: Path) -> Path:
    claim(folder)
    return folder
