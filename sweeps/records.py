"""What is known of the jobs of a sweep: `job.json` in each job's folder, and all of them in the sweep's `sweep.json`."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lightning_modules.runs.damage import DamagedFileError, check_entries, is_number, is_text, read_json
from lightning_modules.runs.json_file import write_json
from machine.console import printable
from machine.system import KILLED

KEPT_LINES = 20
"""Lines of a failed job's output that its record keeps."""
DONE = ("finished", "pruned", "tried")
"""States of a job that has what was to come of it: its result, or by `trainer.fast_dev_run` nothing."""


@dataclass
class Job:
    """One job of a sweep.

    Attributes:
        identity: hash that two jobs share if they compute the same.
        overrides: what the command line of the job says.
        command: repeats the job alone.
        status: "running" until it ends, then "finished", "pruned", "tried", "failed" or "interrupted"; "left" if it is to begin
            another time.
        exit_code: of the process; 128 + n after signal n; None while it runs.
        seconds: from start to end of the process.
        objectives: validation values by name, of a job that has its result.
        last_lines: end of the output of a job that has none.
    """

    identity: str
    overrides: list[str]
    command: list[str]
    status: str = "running"
    exit_code: int | None = None
    seconds: float | None = None
    objectives: dict[str, float | None] = field(default_factory=dict)
    last_lines: list[str] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write `job.json`."""
        write_json(folder / "job.json", asdict(self))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number_or_none(value: object) -> bool:
    return value is None or is_number(value)


def _is_objectives(value: object) -> bool:
    return isinstance(value, dict) and all(_is_number_or_none(item) for item in value.values())


ENTRIES: dict[str, Callable[[Any], bool]] = {
    "identity": is_text,
    "overrides": _is_texts,
    "command": _is_texts,
    "status": is_text,
    "exit_code": lambda value: value is None or isinstance(value, int),
    "seconds": _is_number_or_none,
    "objectives": _is_objectives,
    "last_lines": _is_texts,
}
"""What the record of a job has to hold."""


def read_job(folder: Path) -> Job:
    """Read `job.json`.

    Raises:
        DamagedFileError: naming the file, if it is not what `Job.write` writes.
    """
    path = folder / "job.json"
    content = read_json(path)
    check_entries(path, content, ENTRIES)
    return Job(**{key: content[key] for key in ENTRIES})


def claim(folder: Path) -> bool:
    """Take a folder for a job, and say whether no other job had it."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        (folder / "job.json").touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def jobs_of(sweep: Path) -> dict[Path, Job]:
    """Return the jobs of a sweep by folder, in the order of their numbers; those only claimed or damaged are left out."""
    return {folder: job for folder, job in _records(sweep).items() if isinstance(job, Job)}


def damaged_jobs(sweep: Path) -> list[str]:
    """Return a sentence for each record that is damaged: its job is done again in a folder of its own."""
    return [str(error) for error in _records(sweep).values() if isinstance(error, DamagedFileError)]


def _records(sweep: Path) -> dict[Path, Job | DamagedFileError]:
    folders = [card.parent for card in sweep.glob("*/job.json") if card.lstat().st_size or not card.is_file()]
    return {folder: _read_or_fail(folder) for folder in sorted(folders, key=_number)}


def _read_or_fail(folder: Path) -> Job | DamagedFileError:
    try:
        return read_job(folder)
    except DamagedFileError as error:
        return error


def next_number(folders: Iterable[Path]) -> int:
    """Return the number after the highest that a folder has."""
    return 1 + max((_number(folder)[0] for folder in folders), default=-1)


def _number(folder: Path) -> tuple[int, str]:
    return int(folder.name) if folder.name.isdecimal() else -1, folder.name


def tail(log: Path) -> list[str]:
    """Return the last lines of a job's output."""
    with log.open(encoding="utf-8", errors="replace") as file:
        return [line.rstrip() for line in deque(file, maxlen=KEPT_LINES)]


def write_sweep(sweep: Path, command: Sequence[str], jobs: dict[Path, Job]) -> None:
    """Write `sweep.json`: the command, and the jobs by the name of their folder."""
    listed: dict[str, Any] = {folder.name: asdict(job) for folder, job in jobs.items()}
    write_json(sweep / "sweep.json", {"command": list(command), "jobs": listed})


def command_of(sweep: Path) -> list[str]:
    """Return the command line of a sweep, which processes on other machines do not have; nothing if it cannot be read."""
    try:
        command: Any = read_json(sweep / "sweep.json").get("command")
    except DamagedFileError:
        return []
    return list(command) if _is_texts(command) else []


def describe(folder: Path, job: Job, own: Sequence[str] = ()) -> str:
    """Say in a line how a job ended; of a failed one what it said last, and where the rest is.

    Args:
        folder: of the job.
        job: what is known of it.
        own: the overrides that tell it from the others.
    """
    name = printable(" ".join([f"job {folder.name}", *([f"({' '.join(own)})"] if own else [])]))
    if job.status == "tried":
        return f"{name}: tried, nothing is kept"
    if job.status == "left":
        return f"{name}: left, for the hours of the sweep are spent"
    if job.status in DONE:
        values = ", ".join(f"{metric} {value:.3f}" for metric, value in job.objectives.items() if value is not None)
        return f"{name}: {job.status}, {values or 'no objective'}"
    if job.exit_code is None:
        return f"{name}: was cut off (see {printable(folder / 'output.log')})"
    said = f"{printable(job.status)} with exit code {job.exit_code}: {printable(reason(job))}"
    return f"{name}: {said} (see {printable(folder / 'output.log')})"


def reason(job: Job) -> str:
    """Return the line of a failed job's output that says why, else its last one; one that is killed could not say why."""
    said = [line for line in job.last_lines if line.strip()]
    line = next((line for line in reversed(said) if "rror: " in line), said[-1] if said else "no output").removeprefix("error: ")
    return f"killed, as for want of memory, after: {line}" if job.exit_code == 128 + KILLED else line


def own_overrides(jobs: Mapping[Path, Job]) -> dict[Path, list[str]]:
    """Return of each job the overrides that not all of the jobs have."""
    common = set.intersection(*(set(job.overrides) for job in jobs.values())) if jobs else set()
    return {folder: [override for override in job.overrides if override not in common] for folder, job in jobs.items()}
