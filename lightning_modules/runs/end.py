"""The end of a run, in an order in which what fails costs nothing that came before it.

result.json with the method and its input, per_example.csv, the baselines, the table, examples and pictures, the tracker.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.loggers import Logger
from torch import Tensor

from lightning_modules.base import RestorationModule
from lightning_modules.callbacks.common import StopOnSignal
from lightning_modules.callbacks.progress import name_method
from lightning_modules.callbacks.stereo_learning import Learned
from lightning_modules.metrics.cost import gpu_memory_mb
from lightning_modules.metrics.perceptual.panel import Panel
from lightning_modules.metrics.registry import added_metrics, check_metric
from lightning_modules.runs.by_step import draw_steps, write_steps
from lightning_modules.runs.controls import best_control
from lightning_modules.runs.evaluation import Row, Scores, evenly_spaced, kind_of, mean_scores, restore_example, score_pairs
from lightning_modules.runs.learning import animate_learning, draw_learning, write_learning
from lightning_modules.runs.made_with import git_commit
from lightning_modules.runs.parts import KeptResult
from lightning_modules.runs.perceiving import hearing_of, perceived
from lightning_modules.runs.probing import probed, subject_of
from lightning_modules.runs.results import draw_example, flat_metrics, write_example, write_rows
from lightning_modules.runs.table import show, verdict
from lightning_modules.runs.titles import pair_name, title_of
from lightning_modules.runs.tracker import Shown
from lightning_modules.runs.tracking import tracker_of
from lightning_modules.signals import Interrupted
from lightning_modules.stepwise import Stepwise

ROOT = Path(__file__).parents[2]
EXAMPLES = "examples"
"""Folder of a run that holds them."""


@dataclass(frozen=True)
class Tested:
    """The method under test, and its scores per test pair."""

    name: str
    module: RestorationModule
    rows: Sequence[Row]


@dataclass(frozen=True)
class Bench:
    """What the end of a run works with.

    Attributes:
        folder: of the run.
        data: gives the test pairs.
        trainer: runs tests, without a logger.
        loggers: are told the results, and closed.
        write_audio: writes (path, (C, T) array, sample_rate).
        stopper: knows the signal that asked the run to end.
        panel: says what models of hearing are asked about the pairs.
        probes: names of those that the methods are asked; None: all.
        learned: what was seen of mid and side during the training; None where nobody looked.
    """

    folder: Path
    data: Any
    trainer: pl.Trainer
    loggers: Sequence[Logger]
    write_audio: Callable[[Path, Any, int], None]
    stopper: StopOnSignal
    panel: Panel
    probes: Sequence[str] | None
    learned: Learned | None = None


def end_run(
    tested: Tested, bench: Bench, facts: Mapping[str, Any], baselines: Mapping[str, RestorationModule], examples: int
) -> dict[str, Any]:
    """Write and show all that a run leaves behind; a signal that comes meanwhile ends it after the part in work.

    Args:
        tested: the method.
        bench: what to work with.
        facts: what the script knows; among it `monitor`, the metric of the verdict.
        baselines: methods to compare with, by name.
        examples: how many test pairs are written as audio and pictures.

    Returns:
        What result.json holds.
    """
    before = bench.stopper.received
    metric = check_metric(facts["monitor"])
    table = [
        mean_scores("corrupted", "corrupted", tested.rows),
        mean_scores(tested.name, kind_of(tested.module), tested.rows),
    ]
    content = {**facts, **_of_table(table, metric), **_of_method(tested, bench.data)}
    kept = KeptResult(bench.folder / "result.json", content, lambda: bench.stopper.received != before or bench.stopper.overdue)
    kept.always("per_example.csv", _write_rows, tested, bench)
    table = [_probed(table[0], None, tested.rows, bench, kept), _probed(table[1], tested.module, tested.rows, bench, kept)]
    kept.keep(**_of_table(table, metric))
    for name, module in baselines.items():
        if name != tested.name:
            row = baseline_row(name, module, bench, kept)
            table.insert(-1, _probed(row, module, tested.rows, bench, kept))
            kept.always(f"the comparison with {name}", lambda: kept.keep(**_of_table(table, metric)))
    table = _perceived(table, {**baselines, tested.name: tested.module}, tested.rows, bench, kept)
    kept.always("the perceptual metrics", lambda: kept.keep(**_of_table(table, metric)))
    kept.always("the table", show, table, metric)
    control = best_control(table[:-1], metric)
    heard = {name: module for name, module in baselines.items() if control is not None and name == control.name}
    shown = _examples(tested, heard, bench, kept, examples, metric)
    pictures = _steps(tested.module, tested.rows, bench, kept, metric) if isinstance(tested.module, Stepwise) else []
    learning = _learning(bench.learned, bench.folder, kept)
    moving = [path for path in learning if path.suffix == ".gif"]
    _track(bench, kept, shown, [*pictures, *(path for path in learning if path not in moving)], moving)
    written = f"\nexamples: {bench.folder / EXAMPLES}" if shown or pictures else ""
    kept.always("the paths", print, f"run folder: {bench.folder}{written}")
    kept.keep(signal=bench.stopper.received, **({} if kept.is_whole else {"status": "interrupted"}))
    _tell_signal(kept)
    return kept.content


def end_untested(folder: Path, facts: Mapping[str, Any], reason: Exception | Interrupted) -> dict[str, Any]:
    """Keep what is known of a training whose test failed or was interrupted: its checkpoint and its validation values.

    Args:
        folder: of the run.
        facts: what the script knows.
        reason: what ended the test.

    Returns:
        What result.json holds.
    """

    def failed() -> None:
        raise reason

    kept = KeptResult(folder / "result.json", facts, lambda: False)
    kept.always("the test", failed)
    kept.keep()
    _tell_signal(kept)
    return kept.content


def _tell_signal(kept: KeptResult) -> None:
    received = kept.content.get("signal")
    if received is not None:
        print(f"{Interrupted(received)}; {kept.path} says what there is", file=sys.stderr, flush=True)


def exit_code(result: Mapping[str, Any]) -> int:
    """Return the exit code of a run: 128 + n after signal n, 1 if a part of its end failed, else 0."""
    received = result.get("signal")
    return 128 + int(received) if received else int(bool(result.get("problems")))


def _of_table(table: Sequence[Scores], metric: str) -> dict[str, Any]:
    metrics = flat_metrics(table)
    return {
        "objective": metrics[f"test/{metric}"],
        "verdict": verdict(table, metric),
        "metrics": metrics,
        "methods": {row.name: described(row) for row in table},
    }


def described(row: Scores) -> dict[str, Any]:
    """Return what a file of results says of a row."""
    if row.failure is not None:
        return {"kind": row.kind, "failure": row.failure}
    changed = {} if row.kind == "corrupted" else {"changed_share": row.changed_share}
    return {"kind": row.kind, **changed, **row.means}


def _of_method(tested: Tested, data: Any) -> dict[str, Any]:
    return {
        "params": sum(parameter.numel() for parameter in tested.module.net.parameters()),
        "real_time_factor": tested.module.real_time_factor,
        "gpu_memory_mb": gpu_memory_mb(),
        "sample_rate_hz": data.sample_rate,
        "manifest_hash": data.manifest_hash,
        "pairs": len(tested.rows),
        "git_commit": git_commit(ROOT),
    } | ({"added_metrics": added} if (added := added_metrics()) else {})


def _write_rows(tested: Tested, bench: Bench) -> None:
    write_rows(bench.folder / "per_example.csv", tested.rows, bench.data.manifest())


def baseline_row(name: str, module: RestorationModule, bench: Bench, kept: KeptResult, where: str = "") -> Scores:
    """Return the row of a baseline, or one that says why there are no scores; `where` ends its name among the problems."""
    kind, known = kind_of(module), len(kept.problems)
    name_method(bench.trainer, name)
    row = kept.part(f"baseline {name}{where}", lambda: mean_scores(name, kind, score_pairs(module, bench.data, bench.trainer)))
    return row or Scores(name, kind, {}, failure=kept.problems[known].partition(": ")[2])


def _probed(row: Scores, module: RestorationModule | None, rows: Sequence[Row], bench: Bench, kept: KeptResult) -> Scores:
    """Return a row with the values of the probes; an oracle and a method that failed have none."""
    if row.failure is not None or row.kind == "oracle" or bench.probes == []:
        return row
    subject = kept.part(f"the probes of {row.name}", subject_of, module, bench.data, rows)
    return row if subject is None else probed(row, subject, bench.probes, kept)


def _perceived(
    table: list[Scores], modules: Mapping[str, RestorationModule], rows: Sequence[Row], bench: Bench, kept: KeptResult
) -> list[Scores]:
    """Return the table with what models of hearing say; as it is where they cannot be asked."""
    hearing = kept.part("the perceptual metrics", hearing_of, bench.panel, bench.data, rows, bench.trainer)
    heard = None if hearing is None else kept.part("the perceptual metrics", perceived, table, modules, hearing, kept)
    return table if heard is None else heard


def _examples(
    tested: Tested, controls: Mapping[str, RestorationModule], bench: Bench, kept: KeptResult, count: int, metric: str
) -> list[Shown]:
    """Write examples with their pictures and what controls make of them, and return those whose audio could be written."""
    pairs, rate_hz = bench.data.test_dataloader().dataset, bench.data.sample_rate
    folder, places, rows = bench.folder / EXAMPLES, bench.data.manifest(), {int(row["index"]): row for row in tested.rows}
    written = []
    for index in evenly_spaced(len(pairs), count):
        example = kept.part(f"example {index}", restore_example, tested.module, pairs, index)
        if example is None:
            continue
        others = {
            name: kept.part(f"{name} on example {index}", _heard, module, pairs, index) for name, module in controls.items()
        }
        example = replace(example, controls={name: signal for name, signal in others.items() if signal is not None})
        name = pair_name(places[index], rate_hz)
        title = title_of(name, metric, rows.get(index))
        audio = kept.part(f"audio of example {index}", write_example, folder, example, rate_hz, bench.write_audio)
        picture = kept.part(f"picture of example {index}", draw_example, folder, example, rate_hz, title)
        if audio is not None:
            own = {version: path for version, path in audio.items() if not version.startswith("control_")}
            written.append(Shown(name, example, own, picture, rate_hz))
    return written


def _heard(module: RestorationModule, pairs: Any, index: int) -> Tensor:
    return restore_example(module, pairs, index).restored


def _steps(module: Stepwise, rows: Sequence[Row], bench: Bench, kept: KeptResult, metric: str) -> list[Path]:
    """Write what every step of a method in steps is worth, and return the paths of the pictures."""
    indices = [int(row["index"]) for row in rows]
    means = kept.part("the table by step", write_steps, bench.folder, module, bench.data, indices)
    if means is None:
        return []
    kept.keep(by_step=means)
    title = title_of(pair_name(bench.data.manifest()[indices[0]], bench.data.sample_rate), metric, rows[0])
    return kept.part("pictures by step", draw_steps, bench.folder, module, bench.data, means, indices[0], title) or []


def _learning(learned: Learned | None, folder: Path, kept: KeptResult) -> list[Path]:
    """Write what was seen of mid and side during the training; return the paths of the curves and of the animation."""
    last = None if learned is None else kept.part("the table of mid and side", write_learning, folder, learned)
    if last is None:
        return []
    kept.keep(learning=last)
    parts = {"the curves of mid and side": draw_learning, "the animation": animate_learning}
    paths = [kept.part(name, draw, folder, learned) for name, draw in parts.items()]
    return [path for path in paths if path is not None]


def _track(bench: Bench, kept: KeptResult, shown: Sequence[Shown], pictures: Sequence[Path], animations: Sequence[Path]) -> None:
    step = kept.content.get("global_step")
    for tracker in map(tracker_of, bench.loggers):
        kept.always("the tracker's metrics", tracker.means, kept.content)
        kept.always("the tracker's summary", tracker.summary, kept.content)
        kept.part("the tracker's examples", tracker.examples, shown, step)
        kept.part("the tracker's pictures by step", tracker.pictures, pictures, step)
        kept.part("the tracker's animations", tracker.animations, animations, step)
        kept.always("the tracker's end", tracker.close, int(bool(kept.problems)))
