"""Make the tables of the cards of shipped models, or go on with them, and print them.

    python -m benchmarks.model_cards DIR WORK

DIR holds music, speech, more/speech, noise and more/noise. Everything goes to WORK: what is done there is not repeated.
`--only NAME` takes one model; `--dry-run` prints the commands that are left; `--tables` only prints the tables.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.model_cards.jobs import jobs_of
from benchmarks.model_cards.rows import CARDS
from benchmarks.model_cards.tables import lines_of
from benchmarks.results_grid.command import add_records, ended, make, reader

FOLDERS = "music, speech, more/speech, noise and more/noise"


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is left, print the tables, and return 1 if a command failed, else 0."""
    parser = reader("python -m benchmarks.model_cards", "Make the tables of the models' cards.", FOLDERS, list(CARDS), "models")
    add_records(parser)
    options = parser.parse_args(arguments)
    return make(
        options,
        lambda place: jobs_of(options.only, place),
        lambda place: ("\n".join(lines_of(name, place)) for name in options.only),
        options.records,
    )


if __name__ == "__main__":
    ended(main)
