"""Ask whether adversarial training pays, or go on asking, and print the tables and the verdicts.

    python -m benchmarks.adversarial DIR WORK

DIR holds speech. First a band_net is trained by its own experiment (`--base RUN` takes a finished one) and the networks in whose
features arms are compared; short trials tell what a step of each arm costs. Then every arm goes on from the band_net for the same
core-seconds, 600, or those that `--steps N` of the control take. Everything goes to WORK: what is done there is not repeated, a
training that was killed goes on. Each command has one core. `--dry-run` prints the commands that are left, those of the arms once
the trials are done; `--tables` only prints the tables.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.adversarial.jobs import Plan, comparing, preparing
from benchmarks.adversarial.rows import ARMS, CONTROL
from benchmarks.adversarial.tables import lines_of
from benchmarks.results_grid.command import ended, make, reader
from benchmarks.results_grid.jobs import Place


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0."""
    parser = reader(
        "python -m benchmarks.adversarial", "Ask whether adversarial training pays.", "speech", list(ARMS), "arms", "--arms"
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--base", type=Path, metavar="RUN", help="a finished run of band_net to go on from")
    parser.add_argument("--steps", type=_count, metavar="N", help="of the control, whose time all arms have (default: 600 s)")
    options = parser.parse_args(arguments)
    if options.base is not None and not options.base.exists():
        parser.error(f"--base {options.base}: no such run folder")
    arms = tuple(dict.fromkeys((CONTROL, *options.only)))
    run = None if options.base is None else options.base.resolve()

    def plan(place: Place) -> Plan:
        return Plan(place, arms, tuple(options.seeds), run, options.steps)

    def nothing(place: Place) -> Iterable[str]:
        return ()

    prepared = make(options, lambda place: preparing(plan(place)), nothing)
    return make(options, lambda place: comparing(plan(place)), lambda place: lines_of(plan(place))) or prepared


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} must be at least 1")
    return number


if __name__ == "__main__":
    ended(main)
