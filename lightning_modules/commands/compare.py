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
        watch: seconds between looks for new results, which are reported as they come; None reports once.
        until: while watching, the number of results that is enough; None goes on until a signal.
    """

    paths: Sequence[Path]
    output: Path
    votes: Sequence[Path]
    manifest: str | None
    separately: bool
    watch: float | None = None
    until: int | None = None


def compare(comparing: Comparing) -> int:
    """Report once, or as long as runs are watched, and return the exit code; see `report`."""
    if comparing.watch is None:
        return report(comparing)
    from lightning_modules.commands.watching import watch
    from sweeps.report.page import stop_refreshing

    try:
        return watch(lambda: report(comparing), comparing.paths, comparing.watch, comparing.until)
    finally:
        for page in (comparing.output / "index.html", *comparing.output.glob("*/index.html")):
            stop_refreshing(page, comparing.watch)


def report(comparing: Comparing) -> int:
    """Write the reports, tell what they say, and return the exit code.

    Returns:
        0, or 1 if a damaged run or file of votes is left out, or nothing can be compared.
    """
    from datamodules.audio.io import AudioFileError
    from lightning_modules.runs.printing import one_line
    from sweeps.report.runs import Damage, ReportError

    try:
        reports = write_reports(comparing)
        for written in reports:
            show(written)
    except ReportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (AudioFileError, OSError) as error:
        print(f"error: {one_line(error)}", file=sys.stderr)
        return 1
    return 1 if any(isinstance(note, Damage) for written in reports for note in written.notes) else 0


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
        told = (comparing.votes, skipped, comparing.watch)
        return [write_report(group, name, comparing.output / name, *told) for name, group in groups.items()]
    name = choose_group(groups, comparing.manifest) if comparing.manifest else only_group(groups)
    return [write_report(groups[name], name, comparing.output, comparing.votes, skipped + _others(groups, name), comparing.watch)]


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
