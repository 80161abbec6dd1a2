"""Read run folders, as train.py and evaluate.py leave them."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightning_modules.metrics.registry import METRICS
from lightning_modules.runs.damage import DamagedFileError, read_json
from lightning_modules.runs.printing import one_line, short
from machine.console import printable
from sweeps.records import read_job, reason
from sweeps.report.checks import is_score, read_config, read_result, read_table

CARDS = frozenset({"result.json", "run.json", "job.json"})
"""Names that make a folder one of a run, be they links that lead nowhere."""
REQUIRED = ("metrics", "methods", "manifest_hash", "monitor", "seed")
PLACE = ("file", "offset_samples", "length_samples", "checksum", "seed")
"""Columns of per_example.csv that say which pair a line is about."""


class ReportError(ValueError):
    """Runs that cannot be reported as asked."""


class Damage(str):
    """A sentence about a run that has a result, but in files that cannot be reported."""


@dataclass(frozen=True)
class PairScores:
    """What a run scored on every test pair; the metrics are (N,) arrays by name, NaN where a pair has no value."""

    index: tuple[int, ...]
    places: tuple[Mapping[str, str], ...]
    restored: Mapping[str, np.ndarray]
    corrupted: Mapping[str, np.ndarray]

    @property
    def files(self) -> tuple[str, ...]:
        """The recording of each pair."""
        return tuple(place.get("file", str(index)) for place, index in zip(self.places, self.index, strict=True))


@dataclass(frozen=True)
class ReportedRun:
    """One run folder; `trained` is the configuration it was trained with, which an evaluation finds beside its checkpoint."""

    folder: Path
    name: str
    result: Mapping[str, Any]
    config: Mapping[str, Any]
    trained: Mapping[str, Any]
    pairs: PairScores

    @property
    def method(self) -> str:
        """Name of the method in the run's own table, whose last row it is."""
        return str(list(self.result["methods"])[-1])

    @property
    def model(self) -> str:
        """Name of the method's configuration, for an evaluated checkpoint that of its training."""
        return str((self.trained.get("choices") or {}).get("model") or self.method)

    @property
    def kind(self) -> str:
        """Learned, classical or oracle."""
        return str(self.result["methods"][self.method].get("kind", "learned"))

    @property
    def seed(self) -> int:
        """Seed of the training, of the evaluation where there was none."""
        seed = self.trained.get("seed")
        return int(self.result["seed"] if seed is None else seed)


def find_runs(paths: Iterable[Path]) -> tuple[list[ReportedRun], list[str]]:
    """Read every finished run in some folders.

    Args:
        paths: run folders, and folders that are searched for them.

    Returns:
        The runs, ordered by path, and a sentence for each folder that is a run but has no result yet, or cannot be read, in which
        case it is a `Damage`.

    Raises:
        ReportError: if a path is no folder.
    """
    folders: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise ReportError(
                f"{printable(path)}: no such folder; name run folders, or folders that hold them (runs/, multirun/)"
            )
        folders |= _run_folders(path)
    names = short_names(sorted(folders))
    runs, skipped = [], []
    for folder, name in names.items():
        try:
            runs.append(read_run(folder, name))
        except ReportError as error:
            skipped.append(str(error))
        except Exception as error:  # whatever one run holds, the others are to be compared
            skipped.append(Damage(_described(error, folder, name)))
    return runs, skipped


def _described(error: Exception, folder: Path, name: str) -> str:
    text = one_line(error).replace(printable(folder), name)
    return text if text.startswith(f"{name}/") else f"{name} cannot be read: {type(error).__name__}: {text}"


def _run_folders(path: Path) -> set[Path]:
    return {Path(folder).resolve() for folder, folders, files in os.walk(path) if not CARDS.isdisjoint([*folders, *files])}


def short_names(folders: Sequence[Path]) -> dict[Path, str]:
    """Name folders by as little of the end of their paths as tells them apart; a bare number takes its parent along.

    >>> short_names([Path("/a/runs/x"), Path("/a/sweep/0")])
    {PosixPath('/a/runs/x'): 'x', PosixPath('/a/sweep/0'): 'sweep/0'}
    """
    seen = Counter(tail for folder in folders for tail in _tails(folder))
    names: dict[Path, str] = {}
    for folder in folders:
        tails = _tails(folder)[1 if folder.name.isdigit() else 0 :]
        names[folder] = printable(next((tail for tail in tails if seen[tail] == 1), folder))
    return names


def _tails(folder: Path) -> list[str]:
    """Return the ends of a path, the shortest first."""
    return ["/".join(folder.parts[-count:]) for count in range(1, len(folder.parts) + 1)]


def read_run(folder: Path, name: str) -> ReportedRun:
    """Read one run folder.

    Raises:
        ReportError: if it holds no result yet.
        DamagedFileError: naming the file that is damaged.
        OSError: if a file is missing.
    """
    path = folder / "result.json"
    if not os.path.lexists(path):
        raise ReportError(_why_unfinished(folder, name))
    missing = [key for key in REQUIRED if key not in read_json(path)]
    if missing:
        raise DamagedFileError(f"{printable(path)} has no {', '.join(missing)}")
    result, config = read_result(path), read_config(folder)
    return ReportedRun(
        folder, name, result, config, _training_config(config), read_pairs(folder / "per_example.csv", result.get("pairs"))
    )


def _why_unfinished(folder: Path, name: str) -> str:
    """Say why there is no result: the record of a sweep's job knows."""
    card = folder / "job.json"
    try:
        job = read_job(folder) if card.exists() and card.stat().st_size else None
    except DamagedFileError as error:
        return f"{name} has no result.json, and {str(error).replace(printable(folder), name)}"
    if job is not None and job.status == "left":
        return f"{name} has no result.json: it was left alone when the hours of its sweep were spent"
    if job is None or not job.exit_code:
        return f"{name} has no result.json: it is still running, or was killed"
    said = short(reason(job), 300).replace(printable(folder), name)
    return f"{name} {short(job.status, 40)} with exit code {job.exit_code}: {said}"


def _training_config(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration of the run that an evaluated checkpoint comes from, if it still lies beside it."""
    if not config.get("checkpoint"):
        return config
    checkpoint = Path(config["checkpoint"]).resolve()
    folder = checkpoint.parent.parent if checkpoint.suffix == ".ckpt" else checkpoint
    return (read_config(folder) if os.path.lexists(folder / "config.yaml") else {}) or config


def read_pairs(path: Path, count: int | None = None) -> PairScores:
    """Read per_example.csv.

    Args:
        path: of the file.
        count: of the pairs it has to hold, None if that is not known.
    """
    lines = read_table(path, count)
    return PairScores(
        index=tuple(int(float(line["index"])) for line in lines),
        places=tuple({key: printable(line[key]) for key in PLACE if key in line} for line in lines),
        restored=_columns(lines, ""),
        corrupted=_columns(lines, "corrupted_"),
    )


def _columns(lines: Sequence[Mapping[str, str]], prefix: str) -> dict[str, np.ndarray]:
    known = [name for name in METRICS if f"{prefix}{name}" in lines[0]]
    return {name: np.array([_number(line[f"{prefix}{name}"]) for line in lines]) for name in known}


def _number(text: str) -> float:
    """Read a value, NaN if there is none; with an infinite one among them neither mean nor interval would be left."""
    value = float(text) if text else math.nan
    return value if is_score(value) else math.nan
