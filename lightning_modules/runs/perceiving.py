"""The columns of the extra `perceptual` at the end of a test: what models of hearing say of some of the pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytorch_lightning as pl
from torch import Tensor

from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.progress import counting_bar
from lightning_modules.metrics.perceptual.panel import Kind, Panel
from lightning_modules.metrics.perceptual.pool import ScoringPool
from lightning_modules.metrics.perceptual.scoring import Answer, Question, offered
from lightning_modules.runs.evaluation import Row, Scores, evenly_spaced, mean_where_input_has_one, restore_example
from lightning_modules.runs.parts import KeptResult
from lightning_modules.runs.results import write_rows
from machine.system import usable_processors

PAIRS = "perceptual.csv"
"""File of a run that holds the values of every pair."""
Answers = Mapping[str, Sequence[Answer]]
"""Of a method, by metric, one for each pair."""


@dataclass(frozen=True)
class Hearing:
    """What is heard.

    Attributes:
        kind: what the recordings are.
        pairs: the data set of test pairs.
        indices: of the chosen pairs.
        manifest: the evaluation manifest.
        sample_rate: in Hz.
        trainer: its bar, if it has one, is followed by another.
    """

    kind: Kind
    pairs: Any
    indices: Sequence[int]
    manifest: Sequence[Mapping[str, Any]]
    sample_rate: int
    trainer: pl.Trainer


def hearing_of(panel: Panel, data: Any, rows: Sequence[Row], trainer: pl.Trainer) -> Hearing:
    """Choose the pairs among those that were scored, whose `rows` these are."""
    scored = [int(row["index"]) for row in rows]
    indices = [scored[place] for place in evenly_spaced(len(scored), panel.most_pairs)]
    pairs = data.test_dataloader().dataset
    return Hearing(panel.kind_of(data.kind), pairs, indices, data.manifest(), data.sample_rate, trainer)


def perceived(
    table: Sequence[Scores], modules: Mapping[str, RestorationModule], hearing: Hearing, kept: KeptResult
) -> list[Scores]:
    """Return the table with a column for every package that is installed, and say how many pairs it is about.

    Args:
        table: corrupted first.
        modules: the methods by the names of their rows.
        hearing: what is heard.
        kept: the result of the run, which gets `perceptual`; values of pairs lie in `PAIRS` beside it.
    """
    names = offered(hearing.kind)
    if not names or not hearing.indices:
        return list(table)
    print(f"perceptual metrics for {hearing.kind} ({', '.join(names)}): {len(hearing.indices)} of the test pairs")
    rows = [row.name for row in table if row.failure is None]
    bar = counting_bar(hearing.trainer, "listening", len(rows) * len(names) * len(hearing.indices))
    heard: dict[str, Answers] = {}
    with bar, ScoringPool(usable_processors()) as pool:
        for row in rows:
            answers = kept.part(f"perceptual metrics of {row}", _answers, names, modules.get(row), hearing, pool, bar.update)
            heard |= {} if answers is None else {row: answers}
    kept.keep(perceptual=_told(heard, hearing))
    if {table[0].name, table[-1].name} <= heard.keys():
        by_pair = _by_pair(heard[table[-1].name], heard[table[0].name], hearing)
        kept.always(PAIRS, write_rows, kept.path.with_name(PAIRS), by_pair, hearing.manifest)
    return [replace(row, means=row.means | _means(row.name, heard, table[0].name)) for row in table]


def _answers(names: Sequence[str], module: RestorationModule | None, hearing: Hearing, pool: ScoringPool, told: Any) -> Answers:
    """Restore the pairs, and ask about each; without a module about the untouched input."""
    questions = []
    for index in hearing.indices:
        restored, clean = (signal.float().numpy() for signal in _signals(module, hearing.pairs, index))
        questions += [Question(name, hearing.kind, restored, clean, hearing.sample_rate) for name in names]
    answers = pool.answers(questions, told)
    return {name: answers[place :: len(names)] for place, name in enumerate(names)}


def _signals(module: RestorationModule | None, pairs: Any, index: int) -> tuple[Tensor, Tensor]:
    """Return the restored and the clean signal of a pair, (C, T) each, on the CPU."""
    if module is None:
        pair = pairs[index]
        return pair["corrupted"], pair["clean"]
    example = restore_example(module, pairs, index)
    return example.restored, example.clean


def _means(row: str, heard: Mapping[str, Answers], corrupted: str) -> dict[str, float]:
    if row not in heard or corrupted not in heard:
        return {}
    of_input = {name: [answer.value for answer in answers] for name, answers in heard[corrupted].items()}
    return {
        name: mean_where_input_has_one([(answer.value, value) for answer, value in zip(answers, of_input[name], strict=True)])
        for name, answers in heard[row].items()
    }


def _by_pair(restored: Answers, corrupted: Answers, hearing: Hearing) -> list[Row]:
    """Return what is said of the method and of its input, pair by pair."""
    named = {**restored, **{f"corrupted_{name}": answers for name, answers in corrupted.items()}}
    return [
        {"index": index} | {name: answers[place].value for name, answers in named.items()}
        for place, index in enumerate(hearing.indices)
    ]


def _told(heard: Mapping[str, Answers], hearing: Hearing) -> dict[str, Any]:
    """Return what result.json holds of it, and say which pairs a package could not score."""
    without: dict[str, dict[str, int]] = {}
    for row, of_row in heard.items():
        for name, answers in of_row.items():
            reasons = [answer.reason for answer in answers if answer.reason is not None]
            if reasons:
                without.setdefault(name, {})[row] = len(reasons)
                print(f"{name} has no value for {len(reasons)} of {len(answers)} pairs of {row}: {reasons[0]}")
    return {"kind": hearing.kind, "pairs": len(hearing.indices), "pairs_without_value": without}
