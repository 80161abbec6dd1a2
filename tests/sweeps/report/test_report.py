"""A report says what was found, what was left out, and what listeners said."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lightning_modules.metrics.registry import METRICS
from sweeps.report.leaderboard import COMPUTE
from sweeps.report.report import OPINION, _curves, write_report
from sweeps.report.runs import Damage, find_runs

Make = Callable[..., Path]


def votes(path: Path, method: str, evaluation: str = "e1") -> Path:
    scores = [("clean", 100), ("anchor", 20), ("corrupted", 30), (method, 70), ("gone", 50)]
    lines = [{"example": n, "condition": name, "score": score + n} for n in range(2) for name, score in scores]
    lines = [line for line in lines if line["score"] <= 100]
    path.write_text(
        json.dumps({"evaluation": evaluation, "session": "s", "listener": "", "test": "mushra", "votes": lines}), encoding="utf-8"
    )
    return path


def test_votes_become_a_column_with_intervals(make_run: Make, tmp_path: Path) -> None:
    make_run("a")
    runs, _ = find_runs([tmp_path / "runs"])
    method = next(row.id for row in write_report(runs, "e1", tmp_path / "out", [], []).table.methods if row.runs)
    report = write_report(runs, "e1", tmp_path / "out", [votes(tmp_path / "v.json", method)], [])
    text = (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")
    head, unet = text.splitlines()[0], next(line for line in text.splitlines() if line.startswith("| unet"))
    cells = dict(zip(head.split(" | "), unet.split(" | "), strict=True))
    assert cells[OPINION] == "70.5 ±6.4 (2)"  # t(0.975, 1) = 12.706 times 0.7071 / sqrt(2)
    assert "clean (hidden reference): 100.0 (1)" in text
    assert "anchor: 20.5 ±6.4 (2)" in text
    assert any("votes name 1 conditions" in note for note in report.notes)
    assert "70.5" in (tmp_path / "out" / "leaderboard.csv").read_text(encoding="utf-8")
    assert "70.5" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_abx_results_are_listed_by_name(make_run: Make, tmp_path: Path) -> None:
    make_run("a")
    runs, _ = find_runs([tmp_path / "runs"])
    method = next(row.id for row in write_report(runs, "e1", tmp_path / "out", [], []).table.methods if row.runs)
    answers = [{"example": 0, "a": method, "b": "clean", "x": method, "answer": method}] * 10
    content = {"evaluation": "e1", "session": "s", "listener": "", "test": "abx", "votes": answers}
    (tmp_path / "v.json").write_text(json.dumps(content), encoding="utf-8")
    write_report(runs, "e1", tmp_path / "out", [tmp_path / "v.json"], [])
    text = (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")
    assert "| 10 of 10 | 100% [69%, 100%] | 0.000977 |" in text
    assert "clean (hidden reference)" in text


def test_votes_about_other_pairs_are_left_out_and_named(make_run: Make, tmp_path: Path) -> None:
    make_run("a")
    runs, _ = find_runs([tmp_path / "runs"])
    report = write_report(runs, "e1", tmp_path / "out", [votes(tmp_path / "v.json", "m", "other")], [])
    (note,) = [note for note in report.notes if isinstance(note, Damage)]
    assert "v.json: these votes are about the test pairs other, the report is about e1" in note
    assert "MUSHRA" not in (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")


def test_what_is_doubtful_is_noted(make_run: Make, tmp_path: Path) -> None:
    make_run("a", result={"status": "interrupted"})
    report = write_report(find_runs([tmp_path / "runs"])[0], "e1", tmp_path / "out", [], ["b is still running"])
    assert report.notes[0] == "b is still running"
    assert any(note.startswith("a was interrupted") for note in report.notes)
    assert any(note.startswith("wiener: known by the means") for note in report.notes)
    for name in ("index.html", "leaderboard.md"):
        assert all(
            note in (tmp_path / "out" / name).read_text(encoding="utf-8") for note in ("b is still running", "a was interrupted")
        )


def test_metric_without_a_finite_value_on_some_pairs_is_noted(make_run: Make, tmp_path: Path) -> None:
    make_run("a", si_sdr_db=(7.0, float("nan"), float("inf"), 7.0, 7.0, 7.0))
    report = write_report(find_runs([tmp_path / "runs"])[0], "e1", tmp_path / "out", [], [])
    row = next(row for row in report.table.methods if row.runs)
    assert row.means["si_sdr_db"] == 7.0
    assert (
        "unet has no finite scale-invariant signal-to-distortion ratio (dB) on 2 of 6 pairs; its mean leaves them out"
        in report.notes
    )


def test_names_neither_end_a_cell_nor_become_elements(make_run: Make, tmp_path: Path) -> None:
    choices = {"choices": {"model": "<b>a|b", "data": "</script><i>", "corruption": "noise"}}
    make_run("a", config=choices, result={"status": "<u>stopped"})
    runs, _ = find_runs([tmp_path / "runs"])
    method = next(row.id for row in write_report(runs, "e1", tmp_path / "out", [], []).table.methods if row.runs)
    answer = {"example": 0, "a": method, "b": "clean", "x": method, "answer": method}
    content = {"evaluation": "e1", "session": "s", "listener": "", "test": "abx", "votes": [answer]}
    (tmp_path / "v.json").write_text(json.dumps(content), encoding="utf-8")
    write_report(runs, "e1", tmp_path / "out", [tmp_path / "v.json"], [])
    lines = (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8").splitlines()
    assert any(r"&lt;b>a\|b" in line and " | 1 of 1 | " in line for line in lines)
    for name in ("index.html", "blind.html", "leaderboard.md"):
        assert not any(
            text in (tmp_path / "out" / name).read_text(encoding="utf-8") for text in ("<b>a|b", "</script><i>", "<u>stopped")
        )


def test_columns_and_notes_have_words_and_units_in_place_of_keys(make_run: Make, tmp_path: Path) -> None:
    make_run("a", result={"params": 10, "training_seconds": 2.0, "real_time_factor": 0.5})
    write_report(find_runs([tmp_path / "runs"])[0], "e1", tmp_path / "out", [], [])
    text = (tmp_path / "out" / "leaderboard.md").read_text(encoding="utf-8")
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "| scale-invariant signal-to-distortion ratio (dB) ↑ |" in text
    assert "| parameters ↓ | training time (s) ↓ | real-time factor ↓ |" in text
    notes = re.findall(r'<p class="note">(.*?)</p>', page, re.DOTALL)
    assert any("best controls: " in note and "(dB)" in note for note in notes)
    keys = {*METRICS, *COMPUTE}
    assert not keys & set(re.findall(r"\w+_\w+", " ".join([text, *notes])))


def test_curves_of_many_runs_share_the_points_of_a_page(make_run: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, lr in (("a", 1.0), ("b", 2.0)):
        lines = [{"epoch": epoch, "step": epoch + 1, "val/lsd": float(epoch)} for epoch in range(100)]
        folder = make_run(name, lr=lr)
        (folder / "epochs.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    runs, _ = find_runs([tmp_path / "runs"])
    monkeypatch.setattr("sweeps.report.report.MOST_POINTS", 60)
    curves, problems = _curves(runs)
    assert problems == []
    assert [len(found["val/lsd"]) for found in curves.values()] == [30, 30]
    assert all(found["val/lsd"][-1] == (99, 99.0) for found in curves.values())
