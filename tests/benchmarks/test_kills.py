"""A restoration that is killed at a step on the disk, and what is compared of two folders."""

import json
import sys
from pathlib import Path

import pytest

import lightning_modules.commands.restore  # noqa: F401  # once, before every command has a process of its own
from benchmarks.mutations import whole_file
from benchmarks.robustness.killed import KILLED, Kill, run_killed
from benchmarks.robustness.kills import command, require_same, try_one, whole
from benchmarks.robustness.tally import BrokenError

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs forks and /proc")


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    (tmp_path / "audio").mkdir()
    for number in range(2):
        (tmp_path / "audio" / f"{number}.wav").write_bytes(whole_file("wav", 8000, 1, 0.5))
    return tmp_path


def test_restoration_killed_at_a_step_and_done_again_leaves_what_an_undisturbed_one_leaves(audio: Path) -> None:
    undisturbed = whole("restore", audio)
    kill = Kill(0, "restored", undisturbed.steps["restored"] - 3)  # before it gets its name, and gives its lock back
    assert run_killed(command("restore", audio / "work"), kill) == KILLED
    left = [path.name for path in (audio / "work" / "restored").iterdir()]
    assert "0.wav" in left and "1.wav" not in left
    assert [name for name in left if name.endswith(".partial")]
    try_one(audio, undisturbed, "restore", [kill])


def test_process_is_killed_in_time(audio: Path) -> None:
    assert run_killed(command("restore", audio / "work"), Kill(0.01)) == KILLED


@pytest.mark.slow
def test_kill_that_comes_too_late_is_repeated_sooner(audio: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    undisturbed, codes = whole("restore", audio), []

    def told(*given: object) -> int:
        codes.append(run_killed(*given))
        return codes[-1]

    monkeypatch.setattr("benchmarks.robustness.kills.run_killed", told)
    try_one(audio, undisturbed, "restore", [Kill(0, "restored", 2 * undisturbed.steps["restored"] - 2)])
    assert codes == [0, KILLED, 0]
    assert Kill(1.0).sooner() == Kill(0.5)
    assert Kill(0, "restored", 1).sooner() == Kill(0, "restored", 1)


@pytest.mark.parametrize(("name", "text"), [("result.json", '{"pairs": 3}'), ("rows.csv", "a,c"), (".a.partial", "")])
def test_folder_that_differs_is_told(tmp_path: Path, name: str, text: str) -> None:
    for folder, seconds in (("one", 1.0), ("two", 2.0)):
        (tmp_path / folder / "csv").mkdir(parents=True)
        (tmp_path / folder / "result.json").write_text(json.dumps({"pairs": 2, "training_seconds": seconds}), encoding="utf-8")
        (tmp_path / folder / "rows.csv").write_text("a,b", encoding="utf-8")
        (tmp_path / folder / "csv" / f"{folder}.csv").write_text("a,b", encoding="utf-8")
    require_same(tmp_path / "one", tmp_path / "two")
    (tmp_path / "two" / name).write_text(text, encoding="utf-8")
    with pytest.raises(BrokenError, match=name):
        require_same(tmp_path / "one", tmp_path / "two")
