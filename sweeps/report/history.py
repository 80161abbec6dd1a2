"""The learning curves of a run: from the CSV logger's files, or the offline files of Weights & Biases, and `epochs.jsonl`."""

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning_modules.runs.damage import LARGEST_BYTES, DamagedFileError, is_number, read_json, read_json_lines, read_text
from lightning_modules.runs.printing import one_line
from machine.console import printable

Curve = list[tuple[float, float]]
"""(training step, value), in order."""
MOST_CURVES = 200
"""Of a run; a table with more columns is none that a training logged."""
LONGEST = 150
"""Points of a curve that are kept: a chart is no wider."""
MOST_EPOCHS = 1e9
"""A number of an epoch from here on is none."""
FILE_HEADER_BYTES, BLOCK_BYTES, RECORD_HEADER_BYTES = 7, 32768, 7


def read_curves(folder: Path, problems: list[str] | None = None) -> dict[str, Curve]:
    """Return the curves of training and validation by name, such as "val/lsd"; none if the run kept none.

    Args:
        folder: of the run.
        problems: takes a sentence for each file that is damaged, wholly or in some lines, which are left out.
    """
    told: list[str] = [] if problems is None else problems
    files = sorted(path for path in folder.glob("csv/**/*") if path.name == "metrics.csv")  # broken links among them
    rows = [row for path in files for row in _csv_rows(path, told)] if files else list(_wandb_rows(folder, told))
    curves: dict[str, dict[float, float]] = {}
    for step, values in [*_epoch_rows(folder, rows, told), *rows]:
        for name, value in values.items():
            if name.startswith(("train/", "val/")) and is_number(value):
                curves.setdefault(name, {})[step] = value  # a resumed run says some steps again
    if len(curves) > MOST_CURVES:
        told.append(f"{printable(folder)} has {len(curves)} curves, of which the first {MOST_CURVES} are shown")
    return {printable(name): thin(sorted(points.items())) for name, points in list(curves.items())[:MOST_CURVES]}


def thin(curve: Curve, longest: int = LONGEST) -> Curve:
    """Keep at most so many points, two or more, evenly spread, the last among them.

    >>> thin([(step, 1.0) for step in range(1000)])[-1]
    (999, 1.0)
    """
    if len(curve) <= longest:
        return list(curve)
    last = len(curve) - 1
    return [curve[round(position * last / (longest - 1))] for position in range(longest)]


CurveRow = tuple[float, Mapping[str, float]]
Rows = Iterator[CurveRow]


def _epoch_rows(folder: Path, rows: Sequence[CurveRow], problems: list[str]) -> Rows:
    """Return every validation's values; loggers lose the last seconds of a run that is killed and then goes on.

    Where a line does not say its step, as before this version, the steps of an epoch come from a row that the logger has, or
    from the run's result.
    """
    epochs = _epochs(folder / "epochs.jsonl", problems)
    per_epoch = _steps_of_epoch(folder, rows)
    for epoch in epochs:
        step = epoch["step"] if is_number(epoch.get("step")) else per_epoch and (epoch["epoch"] + 1) * per_epoch
        if step is not None:
            yield step - 1, {name: value for name, value in epoch.items() if is_number(value)}


def _steps_of_epoch(folder: Path, rows: Sequence[CurveRow]) -> float | None:
    validated = [row for row in rows if "epoch" in row[1] and any(name.startswith("val/") for name in row[1])]
    if validated:
        last_step, values = validated[-1]
        return (last_step + 1) / (values["epoch"] + 1)
    try:
        result = read_json(folder / "result.json")
    except (OSError, DamagedFileError):
        return None
    steps, epochs = result.get("global_step"), result.get("epochs")
    if not isinstance(steps, int) or not isinstance(epochs, int) or min(steps, epochs) < 1:
        return None
    return steps / epochs


def _epochs(path: Path, problems: list[str]) -> list[dict[str, Any]]:
    if not os.path.lexists(path):
        return []
    try:
        lines, damaged = read_json_lines(path)
    except DamagedFileError as error:
        problems.append(str(error))
        return []
    kept = [line for line in lines if is_number(line.get("epoch")) and 0 <= line["epoch"] < MOST_EPOCHS]
    lost = len(damaged) + len(lines) - len(kept)
    if lost:
        problems.append(f"{printable(path)} is damaged in {lost} line(s), which are left out")
    elif not kept:
        problems.append(f"{printable(path)} is damaged: it holds no epoch")
    return kept


def _csv_rows(path: Path, problems: list[str]) -> Rows:
    lost, kept = 0, False
    try:
        for line in csv.DictReader(io.StringIO(read_text(path), newline="")):
            row = _csv_row(line)
            lost += row is None
            if row is not None:
                kept = True
                yield row
    except (DamagedFileError, csv.Error) as error:
        problems.append(f"{printable(path)} is damaged: {one_line(error)}" if isinstance(error, csv.Error) else str(error))
        return
    if lost:
        problems.append(f"{printable(path)} is damaged in {lost} line(s), which are left out")
    elif not kept:
        problems.append(f"{printable(path)} is damaged: it holds no value")


def _csv_row(line: dict[str, str]) -> CurveRow | None:
    """Return the numbers of a line of a logger's table, None if it is not whole."""
    try:
        values = {name: float(value) for name, value in line.items() if value}
    except (TypeError, ValueError):
        return None
    step, epoch = values.pop("step", 0.0), values.get("epoch", 0.0)
    is_whole = None not in line.values() and math.isfinite(step) and 0 <= epoch < MOST_EPOCHS
    return (step, values) if is_whole else None


def _wandb_rows(folder: Path, problems: list[str]) -> Rows:
    for path in sorted(folder.glob("wandb/*run-*/*.wandb")):
        yield from _offline_rows(path, problems)


def _offline_rows(path: Path, problems: list[str]) -> Rows:
    from google.protobuf.message import DecodeError
    from wandb.proto import wandb_internal_pb2

    if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
        problems.append(f"{printable(path)} is not a regular file, or has more than {LARGEST_BYTES} bytes")
        return
    lost = 0
    for payload in _payloads(path.read_bytes()):
        record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]  # made at import
        try:
            record.ParseFromString(payload)
        except DecodeError:
            lost += 1
            continue
        items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        numbers = {name: value for name, value in ((name, _number(text)) for name, text in items.items()) if value is not None}
        if "trainer/global_step" in numbers:
            yield numbers["trainer/global_step"], numbers
    if lost:
        problems.append(f"{printable(path)} is damaged in {lost} record(s), which are left out")


def _number(text: str) -> float | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return float(value) if is_number(value) else None


def _payloads(data: bytes) -> Iterator[bytes]:
    """Split a file in LevelDB's log format, which W&B writes: in blocks, records that may be whole or in parts.

    A record's header is checksum (4 bytes), length (2, little-endian) and type (1: whole, 2: first part, 3: middle, 4: last). A
    file whose run was killed ends in the middle of a record, which is left out.
    """
    position, whole = FILE_HEADER_BYTES, b""
    while position + RECORD_HEADER_BYTES <= len(data):
        room = BLOCK_BYTES - position % BLOCK_BYTES
        if room < RECORD_HEADER_BYTES:
            position += room
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        position += RECORD_HEADER_BYTES
        if position + length > len(data):
            return
        whole += data[position : position + length]
        position += length
        if kind in (1, 4):
            yield whole
            whole = b""
