"""Make the grid of docs/results.md, or go on with it, and print its tables.

    python -m benchmarks.results_grid DIR WORK

DIR holds music, speech, noise, rir and more/music. Everything goes to WORK: what is done there is not repeated, a training that
was killed goes on. Each command has one core. `--dry-run` prints the commands that are left; `--tables` only prints the tables.
"""

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.results_grid.jobs import Place, Trial, do, jobs_of
from benchmarks.results_grid.rows import EXPERIMENTS, OF_METHOD
from benchmarks.results_grid.tables import made_by, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0."""
    options = parser().parse_args(arguments)
    names = options.only or list(EXPERIMENTS)
    work = options.work.resolve()
    place = Place(options.audio.resolve(), work / "trial", Trial()) if options.trial else Place(options.audio.resolve(), work)
    left = [] if options.tables else [job for job in jobs_of(names, options.methods, options.seeds, place) if not job.is_done()]
    if options.dry_run:
        print("\n".join(f"OMP_NUM_THREADS=1 {shlex.join(job.command)}" for job in left))
        return 0
    failed = do(left)
    for name in names:
        print("\n".join(table(name, options.seeds, place)))
    print(made_by(names, options.seeds, place))
    return int(bool(failed))


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    reader = argparse.ArgumentParser(prog="python -m benchmarks.results_grid", description="Make the grid of docs/results.md.")
    reader.add_argument("audio", type=Path, metavar="DIR", help="with music, speech, noise, rir and more/music")
    reader.add_argument("work", type=Path, metavar="WORK", help="folder of runs, evaluations and cache")
    reader.add_argument("--only", nargs="+", choices=list(EXPERIMENTS), help="these experiments")
    reader.add_argument("--methods", nargs="+", choices=list(OF_METHOD), help="these learned methods")
    reader.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    reader.add_argument("--dry-run", action="store_true", help="print the commands that are left")
    reader.add_argument("--tables", action="store_true", help="print the tables of what there is")
    reader.add_argument("--trial", action="store_true", help="two steps and two pairs each, in WORK/trial: does it run?")
    return reader


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; the same command goes on")
