"""The command line of tables that take hours: what is left of their jobs is done, or printed, and then the tables are."""

import argparse
import shlex
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from benchmarks.results_grid.jobs import Job, Place, Trial, do
from benchmarks.results_grid.records import keep_record, take_records


def reader(
    prog: str, description: str, folders: str, named: Sequence[str], what: str, option: str = "--only"
) -> argparse.ArgumentParser:
    """Return what reads the command line, to which a table may add its own arguments.

    Args:
        prog: how it is called.
        description: what it makes.
        folders: that DIR holds.
        named: what an option chooses from, which is kept as `only`.
        what: these are, in one word.
        option: that chooses.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("audio", type=Path, metavar="DIR", help=f"with {folders}")
    parser.add_argument("work", type=Path, metavar="WORK", help="folder of runs, evaluations and cache")
    parser.add_argument(option, dest="only", nargs="+", choices=list(named), default=list(named), help=f"these {what}")
    parser.add_argument("--dry-run", action="store_true", help="print the commands that are left")
    parser.add_argument("--tables", action="store_true", help="print the tables of what there is")
    parser.add_argument("--trial", action="store_true", help="two steps and two pairs each, in WORK/trial: does it run?")
    return parser


def add_records(parser: argparse.ArgumentParser) -> None:
    """Offer to share what is done, for tables of means alone: records hold neither checkpoints nor the values of pairs."""
    records_help = "take what benchmarks/records has of other machines as done, and add what is done here"
    parser.add_argument("--records", action="store_true", help=records_help)


def make(
    options: argparse.Namespace,
    jobs: Callable[[Place], Iterable[Job]],
    lines: Callable[[Place], Iterable[str]],
    records: bool = False,
) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0.

    Args:
        options: of `reader`.
        jobs: all there are at a place.
        lines: of the tables of what has been done there.
        records: whether those of other machines are taken, and what is done is added.
    """
    work = options.work.resolve()
    place = Place(options.audio.resolve(), work / "trial", Trial()) if options.trial else Place(options.audio.resolve(), work)
    if records:
        take_records(work)
    left = [] if options.tables else [job for job in jobs(place) if not job.is_done()]
    if options.dry_run:
        print("\n".join(f"OMP_NUM_THREADS=1 {shlex.join(job.command)}" for job in left))
        return 0
    failed = do(left, partial(keep_record, work=work)) if records else do(left)
    for line in lines(place):
        print(line)
    return int(bool(failed))


def ended(main: Callable[[], int]) -> None:
    """End the process with what a command returns; asked to end, it says that the same command goes on."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
