"""The learning curves of a run: from the CSV logger's files, or the offline files of Weights & Biases, and `epochs.jsonl`."""

import csv
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

Curve = list[tuple[float, float]]
"""(training step, value), in order."""
LONGEST = 150
"""Points of a curve that are kept: a chart is no wider."""
FILE_HEADER_BYTES, BLOCK_BYTES, RECORD_HEADER_BYTES = 7, 32768, 7


def read_curves(folder: Path) -> dict[str, Curve]:
    """Return the curves of training and validation by name, such as "val/lsd"; none if the run kept none.

    Args:
        folder: of the run.
    """
    files = sorted(folder.glob("csv/**/metrics.csv"))
    rows = [row for path in files for row in _csv_rows(path)] if files else list(_wandb_rows(folder))
    curves: dict[str, dict[float, float]] = {}
    for step, values in [*_epoch_rows(folder, rows), *rows]:
        for name, value in values.items():
            if name.startswith(("train/", "val/")) and math.isfinite(value):
                curves.setdefault(name, {})[step] = value  # a resumed run says some steps again
    return {name: thin(sorted(points.items())) for name, points in curves.items()}


def thin(curve: Curve) -> Curve:
    """Keep at most LONGEST points, evenly spread, the last among them.

    >>> thin([(step, 1.0) for step in range(1000)])[-1]
    (999, 1.0)
    """
    if len(curve) <= LONGEST:
        return list(curve)
    last = len(curve) - 1
    return [curve[round(position * last / (LONGEST - 1))] for position in range(LONGEST)]


Row = tuple[float, Mapping[str, float]]
Rows = Iterator[Row]


def _epoch_rows(folder: Path, rows: Sequence[Row]) -> Rows:
    """Return the values of every epoch; loggers lose the last seconds of a run that is killed and then goes on.

    The steps of an epoch come from a row that the logger has.
    """
    path = folder / "epochs.jsonl"
    validated = [row for row in rows if "epoch" in row[1] and any(name.startswith("val/") for name in row[1])]
    if not validated or not path.is_file():
        return
    last_step, values = validated[-1]
    steps = (last_step + 1) / (values["epoch"] + 1)
    for line in path.read_text().splitlines(keepends=True):
        if line.endswith("\n"):
            epoch: dict[str, float] = json.loads(line)
            yield (epoch["epoch"] + 1) * steps - 1, {name: value for name, value in epoch.items() if value is not None}


def _csv_rows(path: Path) -> Rows:
    with path.open(newline="") as file:
        for line in csv.DictReader(file):
            yield float(line["step"] or 0), {name: float(value) for name, value in line.items() if value and name != "step"}


def _wandb_rows(folder: Path) -> Rows:
    for path in sorted(folder.glob("wandb/*run-*/*.wandb")):
        yield from _offline_rows(path)


def _offline_rows(path: Path) -> Rows:
    from wandb.proto import wandb_internal_pb2

    for payload in _payloads(path.read_bytes()):
        record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]  # made at import
        record.ParseFromString(payload)
        items = {item.key or "/".join(item.nested_key): item.value_json for item in record.history.item}
        numbers = {name: value for name, value in ((name, _number(text)) for name, text in items.items()) if value is not None}
        if "trainer/global_step" in numbers:
            yield numbers["trainer/global_step"], numbers


def _number(text: str) -> float | None:
    value = json.loads(text)
    return float(value) if isinstance(value, int | float) else None


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
