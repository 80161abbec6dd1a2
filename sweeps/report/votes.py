"""What listeners said: read the files that the blind test saves, and turn them into scores with confidence intervals.

MUSHRA scores are averaged with Student's 95 % interval over all scores of a condition (Recommendation ITU-R BS.1534-3, section
9.1); ABX answers are counted, with the exact (Clopper-Pearson) interval of the share of correct ones and the one-sided binomial
probability of as many by guessing.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from sweeps.report.bootstrap import LEVEL, Interval
from sweeps.report.clips import CLEAN
from sweeps.report.runs import ReportError

MUSHRA_COLUMNS = ("evaluation", "session", "listener", "test", "example", "condition", "score")
ABX_COLUMNS = ("evaluation", "session", "listener", "test", "example", "a", "b", "x", "answer")
REFERENCE_AT_LEAST, MISSES_ALLOWED = 90, 0.15
"""BS.1534-3 would leave out a listener who rates the hidden reference below 90 in more than 15 % of the trials."""


@dataclass(frozen=True)
class Rating:
    """One MUSHRA score of 0 to 100."""

    session: str
    listener: str
    example: int
    condition: str
    score: float


@dataclass(frozen=True)
class Answer:
    """One ABX trial: which of the conditions `a` and `b` the unknown X was, and which the listener said."""

    session: str
    listener: str
    example: int
    a: str
    b: str
    x: str
    answer: str

    @property
    def correct(self) -> bool:
        """Whether the listener was right."""
        return self.x == self.answer


@dataclass(frozen=True)
class Discrimination:
    """How often listeners told two conditions apart."""

    a: str
    b: str
    correct: int
    trials: int
    share: Interval
    by_guessing: float


@dataclass(frozen=True)
class Votes:
    """Everything that was said, each vote once."""

    ratings: tuple[Rating, ...] = ()
    answers: tuple[Answer, ...] = ()


def read_votes(paths: Iterable[Path], evaluation: str) -> Votes:
    """Read the files that blind tests saved, JSON or CSV; a session that is in several files counts once.

    Args:
        paths: the files.
        evaluation: id of the evaluation set that the report is about.

    Raises:
        ReportError: if a file cannot be read or is about other test pairs.
    """
    ratings: dict[tuple[Any, ...], Rating] = {}
    answers: dict[tuple[Any, ...], Answer] = {}
    for path in paths:
        for number, line in enumerate(_lines(path)):
            _check(path, line, evaluation)
            if line["test"] == "mushra":
                rating = _rating(path, line)
                ratings[rating.session, rating.example, rating.condition] = rating
            else:
                answers[line["session"], number] = _answer(path, line)
    return Votes(tuple(ratings.values()), tuple(answers.values()))


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".csv":
            return list(csv.DictReader(io.StringIO(text, newline="")))
        content = json.loads(text)
        shared = {key: content[key] for key in ("evaluation", "session", "listener", "test")}
        return [{key: _entry(value) for key, value in (shared | vote).items()} for vote in content["votes"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReportError(f"{path}: not a file of votes as the blind test saves it ({type(error).__name__}: {error})") from error


def _entry(value: object) -> object:
    if isinstance(value, str | int | float):
        return value
    raise TypeError(f"{value} is neither a text nor a number")


def _check(path: Path, line: Mapping[str, Any], evaluation: str) -> None:
    columns = {"mushra": MUSHRA_COLUMNS, "abx": ABX_COLUMNS}.get(str(line.get("test")))
    if columns is None or any(line.get(column) in (None, "") for column in columns if column != "listener"):
        raise ReportError(f"{path}: a vote is incomplete: {dict(line)}")
    if line["evaluation"] != evaluation:
        raise ReportError(
            f"{path}: these votes are about the test pairs {line['evaluation']}, the report is about {evaluation}; "
            "leave the file out, or report the runs it belongs to"
        )


def _rating(path: Path, line: Mapping[str, Any]) -> Rating:
    score = _number(path, line, "score")
    if not 0 <= score <= 100:
        raise ReportError(f"{path}: a score is {score:g}; allowed: 0 to 100")
    return Rating(line["session"], line.get("listener") or "", _example(path, line), line["condition"], score)


def _example(path: Path, line: Mapping[str, Any]) -> int:
    number = _number(path, line, "example")
    if not number.is_integer():
        raise ReportError(f"{path}: an example is {line['example']}; allowed: the number of one")
    return int(number)


def _number(path: Path, line: Mapping[str, Any], name: str) -> float:
    try:
        return float(line[name])
    except ValueError as error:
        raise ReportError(f"{path}: {name} is {line[name]!r}, not a number") from error


def _answer(path: Path, line: Mapping[str, Any]) -> Answer:
    a, b, x, answer = (line[key] for key in ("a", "b", "x", "answer"))
    if not {x, answer} <= {a, b}:
        raise ReportError(f"{path}: an ABX answer names {x} and {answer}, which are not {a} and {b}")
    return Answer(line["session"], line.get("listener") or "", _example(path, line), a, b, x, answer)


def opinion(scores: Sequence[float]) -> Interval:
    """Return the mean score and its 95 % interval, mean ± t(0.975, N - 1) s / sqrt(N); unbounded for a single score.

    >>> opinion([60.0, 70.0, 80.0])
    Interval(mean=70.0, low=45.1586..., high=94.8413...)
    """
    mean, count = float(np.mean(scores)), len(scores)
    if count < 2:
        return Interval(mean, -math.inf, math.inf)
    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * np.std(scores, ddof=1) / math.sqrt(count))
    return Interval(mean, mean - half, mean + half)


def opinions(votes: Votes) -> dict[str, tuple[Interval, int]]:
    """Return the mean opinion and the number of scores of every condition."""
    scores: dict[str, list[float]] = {}
    for rating in votes.ratings:
        scores.setdefault(rating.condition, []).append(rating.score)
    return {condition: (opinion(values), len(values)) for condition, values in scores.items()}


def discriminations(votes: Votes) -> list[Discrimination]:
    """Count the ABX answers of every pair of conditions."""
    pairs: dict[tuple[str, str], list[bool]] = {}
    for vote in votes.answers:
        pairs.setdefault((min(vote.a, vote.b), max(vote.a, vote.b)), []).append(vote.correct)
    return [_discrimination(a, b, sum(correct), len(correct)) for (a, b), correct in pairs.items()]


def _discrimination(a: str, b: str, correct: int, trials: int) -> Discrimination:
    test = stats.binomtest(correct, trials, 0.5, alternative="greater")
    bounds = stats.binomtest(correct, trials, 0.5).proportion_ci(LEVEL, method="exact")
    return Discrimination(a, b, correct, trials, Interval(correct / trials, bounds.low, bounds.high), float(test.pvalue))


def doubtful_listeners(votes: Votes) -> list[str]:
    """Name the sessions that BS.1534-3 would leave out; they are counted all the same."""
    scores: dict[tuple[str, str], list[float]] = {}
    for rating in votes.ratings:
        if rating.condition == CLEAN:
            scores.setdefault((rating.session, rating.listener), []).append(rating.score)
    notes = []
    for (session, listener), values in scores.items():
        misses = sum(score < REFERENCE_AT_LEAST for score in values)
        if misses > MISSES_ALLOWED * len(values):
            who = f"{listener} (session {session})" if listener else f"session {session}"
            notes.append(f"{who} rated the hidden reference below {REFERENCE_AT_LEAST} in {misses} of {len(values)} trials")
    return notes


def opinion_text(found: tuple[Interval, int]) -> str:
    """Write a mean opinion with its interval and its count."""
    interval, count = found
    half = "" if math.isinf(interval.high) else f" ±{interval.high - interval.mean:.1f}"
    return f"{interval.mean:.1f}{half} ({count})"
