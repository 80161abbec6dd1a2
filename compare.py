"""Compare runs side by side, with tables, charts and sound: `python compare.py runs/ multirun/ -o report/`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # What takes time to import is imported where it is used, so that --help answers at once.
    from sweeps.report.report import Report
    from sweeps.report.runs import Run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, or 1 if a damaged run is left out, or nothing can be compared."""
    from sweeps.report.runs import Damage, ReportError

    options = parse(arguments)
    try:
        reports = compare(options)
        for report in reports:
            show(report)
    except (ReportError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if any(isinstance(note, Damage) for report in reports for note in report.notes) else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    parser.add_argument("paths", nargs="+", type=Path, help="run folders, and folders that are searched for them")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="DIR", help="folder for the report")
    parser.add_argument("--votes", nargs="+", type=Path, default=[], metavar="FILE", help="answers saved by the blind test")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--manifest", metavar="ID", help="of runs tested on different pairs, compare those of this set")
    choice.add_argument("--separately", action="store_true", help="of runs tested on different pairs, report each set")
    options = parser.parse_args(arguments)
    if options.votes and options.separately:
        parser.error("--votes are about one set of test pairs; choose it with --manifest")
    return options


def compare(options: argparse.Namespace) -> "list[Report]":
    """Write the reports that the command line asks for.

    Raises:
        ReportError: if there is no run, the runs were tested on different pairs, or the votes are about other ones.
    """
    from sweeps.report.manifests import choose_group, group_runs, only_group
    from sweeps.report.report import write_report
    from sweeps.report.runs import ReportError, find_runs

    runs, skipped = find_runs(options.paths)
    if not runs:
        raise ReportError("; ".join(["there is no finished run (no folder with a result.json)", *skipped]))
    groups = group_runs(runs)
    if options.separately:
        return [write_report(group, name, options.output / name, options.votes, skipped) for name, group in groups.items()]
    name = choose_group(groups, options.manifest) if options.manifest else only_group(groups)
    return [write_report(groups[name], name, options.output, options.votes, skipped + _others(groups, name))]


def _others(groups: "dict[str, list[Run]]", chosen: str) -> list[str]:
    count = sum(len(runs) for name, runs in groups.items() if name != chosen)
    were = "run that was tested on other pairs is" if count == 1 else "runs that were tested on other pairs are"
    return [f"{count} {were} left out"] if count else []


def show(report: "Report") -> None:
    """Print the ranking by the main metric, the notes and where the report is."""
    from sweeps.report.tables import ranking

    print(ranking(report.table))
    print(f"best controls: {report.table.controls}")
    for note in report.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"report: {report.folder / 'index.html'}\nblind test: {report.folder / 'blind.html'}")


if __name__ == "__main__":
    sys.exit(main())
