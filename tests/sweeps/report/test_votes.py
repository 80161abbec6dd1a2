"""Votes are read back from what the blind test saves, counted once, and averaged with the intervals of theory."""

import csv
import json
import math
import os
from pathlib import Path
from typing import Any

import pytest

from sweeps.report.runs import ReportError
from sweeps.report.votes import (
    Votes,
    discriminations,
    doubtful_listeners,
    opinion,
    opinion_text,
    opinions,
    read_votes,
    usable_votes,
)

MUSHRA = [
    {"example": 0, "condition": "clean", "score": 100},
    {"example": 0, "condition": "m1", "score": 60},
    {"example": 1, "condition": "clean", "score": 95},
    {"example": 1, "condition": "m1", "score": 80},
]


def save(path: Path, votes: list[dict[str, Any]], test: str = "mushra", session: str = "s1", evaluation: str = "e1") -> Path:
    shared = {"evaluation": evaluation, "session": session, "listener": "Ann, B.", "test": test}
    if path.suffix == ".json":
        path.write_text(json.dumps(shared | {"votes": votes}), encoding="utf-8")
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*shared, *votes[0]], quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows(shared | vote for vote in votes)
    return path


def abx(correct: int, trials: int) -> list[dict[str, Any]]:
    return [{"example": n, "a": "m1", "b": "clean", "x": "m1", "answer": "m1" if n < correct else "clean"} for n in range(trials)]


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_scores_become_means_with_students_interval(tmp_path: Path, suffix: str) -> None:
    votes = read_votes([save(tmp_path / f"a.{suffix}", MUSHRA)], "e1")
    interval, count = opinions(votes)["m1"]
    half = 12.706 * math.sqrt(200) / math.sqrt(2)  # t(0.975, 1) s / sqrt(2)
    assert (interval.mean, count) == (70.0, 2)
    assert (interval.low, interval.high) == pytest.approx((70 - half, 70 + half), abs=0.05)


def test_known_interval_of_ten_scores() -> None:
    interval = opinion([50, 55, 60, 65, 70, 75, 80, 85, 90, 95])  # mean 72.5, s 15.138, t(0.975, 9) 2.2622
    assert interval.mean == 72.5
    assert interval.high - 72.5 == pytest.approx(2.2622 * 15.138 / math.sqrt(10), abs=1e-2)
    assert opinion_text((interval, 10)) == "72.5 ±10.8 (10)"


def test_single_score_has_no_interval() -> None:
    assert opinion_text((opinion([40.0]), 1)) == "40.0 (1)"


def test_session_in_two_files_counts_once(tmp_path: Path) -> None:
    files = [save(tmp_path / "a.json", MUSHRA), save(tmp_path / "b.csv", MUSHRA), save(tmp_path / "c.json", MUSHRA, session="s2")]
    assert opinions(read_votes(files, "e1"))["m1"][1] == 4
    files = [save(tmp_path / "d.json", abx(3, 4), "abx"), save(tmp_path / "e.csv", abx(3, 4), "abx")]
    assert discriminations(read_votes(files, "e1"))[0].trials == 4


def test_sessions_put_together_in_one_table_count_once(tmp_path: Path) -> None:
    files = [save(tmp_path / f"{name}.csv", abx(3, 4), "abx", session=name) for name in ("s1", "s2")]
    first, second = (path.read_text(encoding="utf-8") for path in files)
    (tmp_path / "both.csv").write_text(first + second.split("\n", 1)[1], encoding="utf-8")
    assert discriminations(read_votes([*files, tmp_path / "both.csv"], "e1"))[0].trials == 8


def test_abx_answers_have_the_exact_interval_and_the_chance_of_guessing(tmp_path: Path) -> None:
    found = discriminations(read_votes([save(tmp_path / "a.json", abx(9, 10), "abx")], "e1"))[0]
    assert (found.correct, found.trials, found.share.mean) == (9, 10, 0.9)
    assert found.by_guessing == pytest.approx(11 / 1024)  # (C(10, 9) + C(10, 10)) / 2^10
    assert (found.share.low, found.share.high) == pytest.approx((0.5550, 0.9975), abs=1e-4)  # Clopper and Pearson


def test_order_of_the_two_versions_does_not_matter(tmp_path: Path) -> None:
    turned = [{"example": 0, "a": "clean", "b": "m1", "x": "clean", "answer": "m1"}]
    files = [save(tmp_path / "a.json", abx(2, 2), "abx"), save(tmp_path / "b.json", turned, "abx", session="s2")]
    found = discriminations(read_votes(files, "e1"))
    assert [(one.correct, one.trials) for one in found] == [(2, 3)]


def test_votes_about_other_pairs_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.json", MUSHRA, evaluation="e2")
    with pytest.raises(ReportError, match="a.json: these votes are about the test pairs e2, the report is about e1"):
        read_votes([path], "e1")


@pytest.mark.parametrize(
    ("vote", "reason"),
    [
        ({"example": 0, "condition": "m1", "score": 101}, "a score is 101; allowed: 0 to 100"),
        ({"example": 0, "condition": "m1"}, "a vote is incomplete"),
    ],
)
def test_impossible_votes_are_refused(tmp_path: Path, vote: dict[str, Any], reason: str) -> None:
    with pytest.raises(ReportError, match=reason):
        read_votes([save(tmp_path / "a.json", [vote])], "e1")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"votes": 3}'])
def test_file_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(ReportError, match="a.json: not a file of votes"):
        read_votes([tmp_path / "a.json"], "e1")


def test_abx_answer_outside_its_pair_is_refused(tmp_path: Path) -> None:
    vote = {"example": 0, "a": "m1", "b": "clean", "x": "m1", "answer": "m2"}
    with pytest.raises(ReportError, match="names m1 and m2, which are not m1 and clean"):
        read_votes([save(tmp_path / "a.json", [vote], "abx")], "e1")


def test_listener_who_misses_the_hidden_reference_is_named(tmp_path: Path) -> None:
    misses = [{"example": n, "condition": "clean", "score": 80 if n < 2 else 100} for n in range(10)]
    assert doubtful_listeners(read_votes([save(tmp_path / "a.json", MUSHRA)], "e1")) == []
    notes = doubtful_listeners(read_votes([save(tmp_path / "b.json", misses)], "e1"))
    assert notes == ["Ann, B. (session s1) rated the hidden reference below 90 in 2 of 10 trials"]
    assert opinions(Votes()) == {}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[" * 100_000),
        ("a.json", '{"evaluation": "e1", "session": "s", "listener": "", "test": "mushra", "votes": {"a": 1}}'),
        ("a.csv", "evaluation,session,listener,test,example,condition,score\ne1,s,,mushra,0,m1,50,7\n"),
        ("a.csv", 'evaluation,"test\n'),
        ("a.csv", "evaluation\n" + "x" * 200_000),
    ],
)
def test_votes_of_any_form_are_named_and_left_out(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    usable, (problem,) = usable_votes([save(tmp_path / "good.json", MUSHRA), tmp_path / name], "e1")
    assert [path.name for path in usable] == ["good.json"]
    assert problem.startswith(f"votes left out: {tmp_path / name}: ") and problem.isprintable()


@pytest.mark.posix
def test_votes_that_are_no_file_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert usable_votes([tmp_path / "a.json", tmp_path], "e1")[0] == []


@pytest.mark.parametrize("value", [10**400, True, None, -0.5, [], {}])
@pytest.mark.parametrize("key", ["score", "example", "condition", "session"])
def test_wrong_value_in_a_vote_is_one_sentence(tmp_path: Path, key: str, value: object) -> None:
    _, problems = usable_votes([save(tmp_path / "a.json", [MUSHRA[0] | {key: value}])], "e1")
    assert len(problems) == (
        0 if (key, value) in [("condition", -0.5), ("session", -0.5), ("condition", 10**400), ("session", 10**400)] else 1
    )


@pytest.mark.parametrize("suffix", ["json", "csv"])
@pytest.mark.parametrize(
    ("key", "value"), [("score", "loud"), ("score", "nan"), ("example", "x"), ("example", "inf"), ("example", "0.5")]
)
def test_vote_that_is_no_number_is_one_sentence(tmp_path: Path, suffix: str, key: str, value: str) -> None:
    with pytest.raises(ReportError, match=f"{key} is"):
        read_votes([save(tmp_path / f"a.{suffix}", [MUSHRA[0] | {key: value}])], "e1")


@pytest.mark.parametrize("key", ["score", "condition", "session", "listener"])
def test_list_in_place_of_a_value_is_one_sentence(tmp_path: Path, key: str) -> None:
    with pytest.raises(ReportError, match="not a file of votes as the blind test saves it"):
        read_votes([save(tmp_path / "a.json", [MUSHRA[0] | {key: ["x"]}])], "e1")


def test_name_of_a_listener_may_hold_any_character(tmp_path: Path) -> None:
    path = save(tmp_path / "a.csv", MUSHRA)
    path.write_text(path.read_text(encoding="utf-8").replace("Ann, B.", "Ann\u2028\nB."), encoding="utf-8")
    assert {rating.listener for rating in read_votes([path], "e1").ratings} == {r"Ann\u2028\nB."}


@pytest.mark.parametrize("suffix", ["json", "csv"])
def test_version_told_from_itself_is_no_answer(tmp_path: Path, suffix: str) -> None:
    same = {"example": 0, "a": "m1", "b": "m1", "x": "m1", "answer": "m1"}
    with pytest.raises(ReportError, match="an ABX answer tells m1 from itself"):
        read_votes([save(tmp_path / f"a.{suffix}", [same], "abx")], "e1")


def test_file_without_a_vote_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="0 votes; allowed: 1 to 100000"):
        read_votes([save(tmp_path / "a.json", [])], "e1")


def test_number_of_an_example_is_not_negative(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="an example is -1; allowed"):
        read_votes([save(tmp_path / "a.json", [MUSHRA[0] | {"example": -1}])], "e1")


@pytest.mark.parametrize("size", [10_000_000, 17_000_000])
def test_large_file_of_something_else_is_named(tmp_path: Path, size: int) -> None:
    (tmp_path / "a.json").write_text("x" * size, encoding="utf-8")
    usable, (problem,) = usable_votes([tmp_path / "a.json"], "e1")
    assert usable == [] and len(problem) < 300
