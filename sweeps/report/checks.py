"""What a report needs of the files of a run, checked before anything is made of them, so that one run never ends the others."""

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from lightning_modules.metrics.registry import METRICS, register_described
from lightning_modules.runs.damage import DamagedFileError, check_entries, is_number, is_text, read_json, read_text
from lightning_modules.runs.printing import one_line
from machine.console import printable

MOST_SETTINGS, DEEPEST = 20_000, 30
"""A configuration with more, or nested deeper, is none: aliases of YAML can make any number out of a few lines."""
TOO_MUCH = f"it holds more than {MOST_SETTINGS} settings, or nests them deeper than {DEEPEST}"
LARGEST_CONFIG_BYTES = 1 << 18
"""Of a configuration; as many settings as there may be take no more."""
LARGEST_SCORE = 1e9
"""No metric takes such a value; a mean over it would say nothing."""
MOST_METHODS, MOST_PAIRS = 200, 10_000
"""Rows of a run's table, and test pairs: what is compared takes memory by both."""


def read_result(path: Path) -> dict[str, Any]:
    """Read result.json.

    Raises:
        DamagedFileError: if something that the report is made of is not what it should be.
    """
    content = read_json(path)
    try:
        result: dict[str, Any] = _Plain().of(content)
    except ValueError as error:
        raise DamagedFileError(f"{printable(path)} is damaged: {error}") from error
    check_entries(path, result, {"added_metrics": _are_metrics} if "added_metrics" in result else {})
    register_described(result.get("added_metrics", []))
    checks = {"monitor": _is_metric, "methods": is_table, "manifest_hash": _is_hash, "seed": _is_whole}
    check_entries(path, result, checks)
    optional = {"status": is_text, "sample_rate_hz": is_number, "pairs": is_number, "git_commit": is_text}
    check_entries(path, result, {key: check for key, check in optional.items() if result.get(key) is not None})
    return result


def _are_metrics(value: object) -> bool:
    kinds = {"name": str, "title": str, "higher_is_better": bool, "unit": str}
    return isinstance(value, list) and all(
        isinstance(entry, Mapping) and {key: type(inner) for key, inner in entry.items()} == kinds for entry in value
    )


def _is_metric(value: object) -> bool:
    return isinstance(value, str) and value.split("/")[-1] in METRICS


def _is_hash(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]+", value) is not None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and is_number(value)


def is_table(value: object) -> bool:
    """Say whether a value can be the rows of a table of results, by the name of the method."""
    return isinstance(value, Mapping) and 0 < len(value) <= MOST_METHODS and all(_is_row(row) for row in value.values())


def _is_row(row: object) -> bool:
    if not isinstance(row, Mapping) or not is_text(row.get("kind", "learned")):
        return False
    if not is_number(row.get("changed_share", 1.0)):
        return False
    return all(row[name] is None or is_score(row[name]) for name in METRICS if name in row)


def is_score(value: object) -> bool:
    """Say whether a value can be that of a metric."""
    return is_number(value) and abs(value) < LARGEST_SCORE  # type: ignore[arg-type]  # a number


def read_config(folder: Path) -> dict[str, Any]:
    """Return the resolved configuration of a run folder; infinity and NaN become their names.

    Raises:
        DamagedFileError: if there is no file, or it holds no settings.
    """
    path = folder / "config.yaml"
    try:
        config = _Plain().of(_loaded(read_text(path, LARGEST_CONFIG_BYTES)))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, DamagedFileError):
            raise
        raise DamagedFileError(f"{printable(path)} is damaged: {one_line(error, 200)}") from error
    if not isinstance(config, dict):
        raise DamagedFileError(f"{printable(path)} is damaged: it holds a {type(config).__name__} in place of settings")
    nodes = {key: lambda value: isinstance(value, Mapping) for key in ("choices", "data", "corruption", "model")}
    checks = {**nodes, "checkpoint": is_text, "seed": _is_whole}
    check_entries(path, config, {key: check for key, check in checks.items() if config.get(key) is not None})
    return config


def _loaded(text: str) -> Any:
    """Read YAML, after a look at how deep it is nested: libyaml would overflow its stack on what Python only refuses."""
    try:
        return _loaded_by(_FastLoader, text)
    except yaml.YAMLError:  # of some escapes that Python reads
        return _loaded_by(_Loader, text)


def _loaded_by(loader: type, text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ValueError(TOO_MUCH)
    return yaml.load(text, loader)


class _NoMerging:
    """Of a reader of YAML: no merge keys, which no run writes, and which can make any number of settings while they are read."""

    def flatten_mapping(self, node: Any) -> None:
        """Refuse a merge key."""
        if any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value):
            raise ValueError("it uses merge keys (<<)")


class _Loader(_NoMerging, yaml.SafeLoader):  # type: ignore[misc]
    """Read YAML."""


class _FastLoader(_NoMerging, getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Read YAML by libyaml, ten times as fast."""


class _Plain:
    """Turn what a file may give into what JSON can hold and a screen can show, up to a number of values."""

    def __init__(self) -> None:
        self._left = MOST_SETTINGS

    def of(self, value: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise ValueError(TOO_MUCH)
        if isinstance(value, Mapping):
            return {printable(str(key)): self.of(entry, depth + 1) for key, entry in value.items()}
        if isinstance(value, list | tuple | set):
            return [self.of(entry, depth + 1) for entry in value]
        if isinstance(value, float) and not math.isfinite(value):
            return str(value)
        return value if isinstance(value, bool | float | None) or is_number(value) else printable(str(value))


def read_table(path: Path, pairs: int | None) -> list[dict[str, str]]:
    """Read per_example.csv.

    Args:
        path: of the file.
        pairs: how many lines it has to have, None if that is not known.

    Raises:
        DamagedFileError: if it has others, or a line is not whole.
        FileNotFoundError: if there is none.
    """
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True)
        lines = list(islice(reader, MOST_PAIRS + 1))
    except csv.Error as error:
        raise DamagedFileError(f"{printable(path)} is damaged: {one_line(error)}") from error
    name, names = printable(path), reader.fieldnames or []
    if not lines:
        raise DamagedFileError(f"{name} holds no test pair")
    if len(lines) > MOST_PAIRS:
        raise DamagedFileError(f"{name} has more than {MOST_PAIRS} test pairs, which are the most that are compared")
    if pairs is not None and len(lines) != pairs:
        raise DamagedFileError(f"{name} is damaged: it has {len(lines)} of {pairs} test pairs")
    _check_columns(path, names)
    for number, line in enumerate(lines, start=2):
        if None in line or None in line.values() or not all(_is_value(line[metric]) for metric in _metrics(names)):
            raise DamagedFileError(f"{name} is damaged in line {number}")
    if len({line["index"] for line in lines}) < len(lines) or not all(_is_index(line["index"]) for line in lines):
        raise DamagedFileError(f"{name} is damaged: its column index does not number the pairs")
    return lines


def _check_columns(path: Path, names: Sequence[str]) -> None:
    restored = [name for name in METRICS if name in names]
    wanted = ["index", *(restored or ["of a metric"]), *(f"corrupted_{name}" for name in restored)]
    missing = [name for name in wanted if name not in names]
    if missing or len(set(names)) < len(names):
        raise DamagedFileError(
            f"{printable(path)} is damaged: it has {'no column ' + ', '.join(missing) if missing else 'two columns of a name'}"
        )


def _metrics(names: Sequence[str]) -> list[str]:
    return [name for name in names if name.removeprefix("corrupted_") in METRICS]


def _is_value(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return False
    return True


def _is_index(text: str) -> bool:
    return _is_value(text) and float(text or "nan").is_integer()
