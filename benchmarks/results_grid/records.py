"""What jobs of other machines came to, in small files that the repository holds: hours of training need no second time."""

import csv
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.results_grid.jobs import Job, read

FOLDER = Path(__file__).resolve().parents[1] / "records"
RESULT = (
    "status",
    "problems",
    "git_commit",
    "global_step",
    "training_core_seconds",
    "params",
    "real_time_factor",
    "manifest_hash",
)
CONDITION = ("label", "seen", "manifest_hash", "pairs", "methods")
"""Of a result and of each condition of an evaluation, what the tables are made of; nothing that names folders of a machine."""


def take_records(work: Path, records: Path = FOLDER) -> None:
    """Put all records in the places of what they tell of, where a folder of work has no result yet."""
    for folder in sorted(records.glob("*/*")):
        place = work / folder.relative_to(records)
        if not (place / "result.json").exists():
            shutil.copytree(folder, place, dirs_exist_ok=True)


def keep_record(job: Job, work: Path, records: Path = FOLDER) -> None:
    """Write down what a job came to.

    Args:
        job: that is done.
        work: the folder that holds its own.
        records: where the files go, under the same names.
    """
    folder = records / job.folder.relative_to(work)
    folder.mkdir(parents=True, exist_ok=True)
    result = read(job.folder / "result.json")
    _write(folder / "result.json", _some(result, (*RESULT, "manifest_hash", "methods")))
    if conditions := read(job.folder / "conditions.json").get("conditions"):
        _write(folder / "conditions.json", {"conditions": [_some(each, CONDITION) for each in conditions]})
    pairs = job.folder / "per_example.csv"
    if pairs.is_file():
        with pairs.open(newline="", encoding="utf-8") as file:
            names = [Path(row["file"]).name for row in csv.DictReader(file)]
        (folder / pairs.name).write_text("\n".join(["file", *names, ""]), encoding="utf-8")


def _some(node: Mapping[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: node[key] for key in keys if key in node}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
