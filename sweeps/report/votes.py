"""What listeners said: read the files that the blind test saves, and turn them into scores with confidence intervals.

MUSHRA scores are averaged with Student's 95 % interval over all scores of a condition (Recommendation ITU-R BS.1534-3, section
9.1); ABX answers are counted, with the exact (Clopper-Pearson) interval of the share of correct ones and the one-sided binomial
probability of as many by guessing.
"""

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from lightning_modules.runs.damage import DamagedFileError, read_text
from lightning_modules.runs.printing import one_line, short
from machine.console import printable
from sweeps.report.bootstrap import LEVEL, Interval
from sweeps.report.clips import CLEAN
from sweeps.report.runs import Damage, ReportError

MUSHRA_COLUMNS = ("evaluation", "session", "listener", "test", "example", "condition", "score")
ABX_COLUMNS = ("evaluation", "session", "listener", "test", "example", "a", "b", "x", "answer")
MOST_VOTES, LARGEST_BYTES = 100_000, 1 << 24
"""Of a file."""
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
        of_session: Counter[str] = Counter()  # a table may hold several, each numbered from 0 as in a file of its own
        for line in _lines(path):
            _check(path, line, evaluation)
            if line["test"] == "mushra":
                rating = _rating(path, line)
                ratings[rating.session, rating.example, rating.condition] = rating
            else:
                answers[line["session"], of_session[line["session"]]] = _answer(path, line)
                of_session[line["session"]] += 1
    return Votes(tuple(ratings.values()), tuple(answers.values()))


def usable_votes(paths: Iterable[Path], evaluation: str) -> tuple[list[Path], list[Damage]]:
    """Return the files that can be read and are about these test pairs, and a sentence for each other one."""
    usable, problems = [], []
    for path in paths:
        try:
            read_votes([path], evaluation)
            usable.append(path)
        except ReportError as error:
            problems.append(Damage(f"votes left out: {error}"))
    return usable, problems


def _lines(path: Path) -> list[dict[str, Any]]:
    try:
        text = read_text(path, LARGEST_BYTES).removeprefix("\ufeff")
        found = _table(text) if path.suffix.lower() == ".csv" else _ballot(json.loads(text))
        if not 0 < len(found) <= MOST_VOTES:
            raise ValueError(f"{len(found)} votes; allowed: 1 to {MOST_VOTES}")
        return [{key: _entry(value) for key, value in line.items()} for line in found]
    except DamagedFileError as error:
        raise ReportError(str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError, csv.Error) as error:
        reason = f"{type(error).__name__}: {one_line(error, 100)}"
        raise ReportError(f"{printable(path)}: not a file of votes as the blind test saves it ({reason})") from error


def _table(text: str) -> list[dict[str, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    return [{_plain(key): value for key, value in line.items()} for line in islice(reader, MOST_VOTES + 1)]


def _plain(key: object) -> str:
    if key is None:
        raise ValueError("a line with more cells than there are columns")
    return str(key)


def _ballot(content: Any) -> list[dict[str, Any]]:
    shared = {key: content[key] for key in ("evaluation", "session", "listener", "test")}
    return [shared | vote for vote in content["votes"]]


def _entry(value: object) -> str:
    """Return a text, or a number as one."""
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, bool)):
        return "" if value is None else printable(value)
    raise TypeError(f"a {type(value).__name__} in place of a text or a number")


def _check(path: Path, line: Mapping[str, str], evaluation: str) -> None:
    columns = {"mushra": MUSHRA_COLUMNS, "abx": ABX_COLUMNS}.get(str(line.get("test")))
    if columns is None or any(line.get(column) in (None, "") for column in columns if column != "listener"):
        raise ReportError(f"{printable(path)}: a vote is incomplete: {short(dict(line))}")
    if line["evaluation"] != evaluation:
        raise ReportError(
            f"{printable(path)}: these votes are about the test pairs {short(line['evaluation'], 40)}, "
            f"the report is about {evaluation}; leave the file out, or report the runs it belongs to"
        )


def _rating(path: Path, line: Mapping[str, str]) -> Rating:
    score = _number(path, line, "score")
    if not 0 <= score <= 100:
        raise ReportError(f"{printable(path)}: a score is {score:g}; allowed: 0 to 100")
    return Rating(line["session"], line.get("listener") or "", _example(path, line), line["condition"], score)


def _example(path: Path, line: Mapping[str, str]) -> int:
    number = _number(path, line, "example")
    if not number.is_integer() or number < 0:
        raise ReportError(f"{printable(path)}: an example is {short(line['example'], 40)}; allowed: the number of one")
    return int(number)


def _number(path: Path, line: Mapping[str, str], name: str) -> float:
    try:
        return float(line[name])
    except ValueError as error:
        raise ReportError(f"{printable(path)}: {name} is {short(line[name], 40)!r}, not a number") from error


def _answer(path: Path, line: Mapping[str, str]) -> Answer:
    a, b, x, answer = (line[key] for key in ("a", "b", "x", "answer"))
    if a == b:
        raise ReportError(f"{printable(path)}: an ABX answer tells {short(a, 40)} from itself; allowed: two versions")
    if not {x, answer} <= {a, b}:
        names = [short(name, 40) for name in (x, answer, a, b)]
        raise ReportError(
            f"{printable(path)}: an ABX answer names {names[0]} and {names[1]}, which are not {names[2]} and {names[3]}"
        )
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
