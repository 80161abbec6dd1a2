"""Compare runs side by side, with tables, charts and sound."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeps.report.report import Report
    from sweeps.report.runs import ReportedRun


@dataclass(frozen=True)
class Comparing:
    """What is compared.

    Attributes:
        paths: run folders, and folders that are searched for them.
        output: folder for the report.
        votes: files with answers of the blind test.
        manifest: of runs tested on different pairs, compare those of this set.
        separately: of runs tested on different pairs, report each set.
    """

    paths: Sequence[Path]
    output: Path
    votes: Sequence[Path]
    manifest: str | None
    separately: bool


def compare(comparing: Comparing) -> int:
    """Write the reports, tell what they say, and return the exit code.

    Returns:
        0, or 1 if a damaged run or file of votes is left out, or nothing can be compared.
    """
    from datamodules.audio.io import AudioFileError
    from lightning_modules.runs.printing import one_line
    from sweeps.report.runs import Damage, ReportError

    try:
        reports = write_reports(comparing)
        for report in reports:
            show(report)
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (AudioFileError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    return 1 if any(isinstance(note, Damage) for report in reports for note in report.notes) else 0


def write_reports(comparing: Comparing) -> "list[Report]":
    """Write the reports that are asked for.

    Raises:
        ReportError: if there is no run, or the runs were tested on different pairs.
    """
    from sweeps.report.manifests import choose_group, group_runs, only_group
    from sweeps.report.report import write_report
    from sweeps.report.runs import ReportError, find_runs

    runs, skipped = find_runs(comparing.paths)
    if not runs:
        raise ReportError("; ".join(["there is no finished run (no folder with a result.json)", *skipped]))
    groups = group_runs(runs)
    if comparing.separately:
        return [write_report(group, name, comparing.output / name, comparing.votes, skipped) for name, group in groups.items()]
    name = choose_group(groups, comparing.manifest) if comparing.manifest else only_group(groups)
    return [write_report(groups[name], name, comparing.output, comparing.votes, skipped + _others(groups, name))]


def _others(groups: "dict[str, list[ReportedRun]]", chosen: str) -> list[str]:
    count = sum(len(runs) for name, runs in groups.items() if name != chosen)
    were = "run that was tested on other pairs is" if count == 1 else "runs that were tested on other pairs are"
    return [f"{count} {were} left out"] if count else []


def show(report: "Report") -> None:
    """Print the ranking by the main metric, the notes and where the report is."""
    from machine.console import printable
    from sweeps.report.tables import ranking

    print(ranking(report.table))
    print(f"best controls: {report.table.controls}")
    for note in report.notes:
        print(f"note: {printable(note)}", file=sys.stderr)
    print(f"report: {printable(report.folder / 'index.html')}\nblind test: {printable(report.folder / 'blind.html')}")
