"""Make the grid of docs/results.md, or go on with it, and print its tables.

    python -m benchmarks.results_grid DIR WORK

DIR holds music, speech, noise, rir and more/music. Everything goes to WORK: what is done there is not repeated, a training that
was killed goes on. Each command has one core. `--records` shares what is done with other machines, through benchmarks/records.
`--dry-run` prints the commands that are left; `--tables` only prints the tables.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.results_grid.command import add_records, ended, make, reader
from benchmarks.results_grid.jobs import Place, jobs_of
from benchmarks.results_grid.rows import EXPERIMENTS, OF_METHOD
from benchmarks.results_grid.tables import made_by, table

FOLDERS = "music, speech, noise, rir and more/music"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0."""
    parser = reader(
        "python -m benchmarks.results_grid", "Make the grid of docs/results.md.", FOLDERS, list(EXPERIMENTS), "experiments"
    )
    add_records(parser)
    parser.add_argument("--methods", nargs="+", choices=list(OF_METHOD), help="these learned methods")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args(arguments)

    def lines(place: Place) -> Iterator[str]:
        for name in options.only:
            yield "\n".join(table(name, options.seeds, place))
        yield made_by(options.only, options.seeds, place)

    return make(options, lambda place: jobs_of(options.only, options.methods, options.seeds, place), lines, options.records)


if __name__ == "__main__":
    ended(main)
