"""Make the tables of the modular GAN's tasks, or go on with them, and print them with the verdicts.

    python -m benchmarks.modular_gan DIR WORK

DIR holds music and more/music. Everything goes to WORK: what is done there is not repeated, a training that was killed goes on.
Each command has one core, and each training about eight minutes of it. `--dry-run` prints the commands that are left; `--tables`
only prints the tables.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.modular_gan.jobs import jobs_of
from benchmarks.modular_gan.rows import TABLES
from benchmarks.modular_gan.tables import lines_of
from benchmarks.results_grid.command import add_records, ended, make, reader

FOLDERS = "music and more/music"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0."""
    parser = reader("python -m benchmarks.modular_gan", "Make the tables of the modular GAN.", FOLDERS, list(TABLES), "tables")
    add_records(parser)
    parser.add_argument("--seeds", type=int, metavar="N", help="at most so many (default: as many as a table has)")
    options = parser.parse_args(arguments)
    return make(
        options,
        lambda place: jobs_of(options.only, options.seeds, place),
        lambda place: ("\n".join(lines_of(name, place)) for name in options.only),
        options.records,
    )


if __name__ == "__main__":
    ended(main)
