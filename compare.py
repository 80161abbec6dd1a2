"""Compare runs side by side, with tables, charts and sound: `python compare.py runs/ multirun/ -o report/`."""

import argparse
import sys
from collections.abc import Sequence

from conf.arguments import count, number_within, some_path, some_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    That is 0, 1 if what is damaged is left out or nothing can be compared, and 128 + n after signal n.
    """
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.signals import heeding_signals
    from machine.console import steady_streams

    steady_streams()
    options = parse(arguments)
    left = "the report is not finished" if options.watch is None else "the report has the results until its last change"
    return heeding_signals(lambda: run(options), left)


def run(options: argparse.Namespace) -> int:
    """Compare what the command line asks for and return the exit code."""
    from lightning_modules.commands.compare import Comparing, compare

    return compare(Comparing(**vars(options)))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    parser.add_argument("paths", nargs="+", type=some_path, help="run folders, and folders that are searched for them")
    parser.add_argument("-o", "--output", required=True, type=some_path, metavar="DIR", help="folder for the report")
    parser.add_argument("--votes", nargs="+", type=some_path, default=[], metavar="FILE", help="answers saved by the blind test")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument(
        "--manifest", metavar="ID", type=some_text, help="of runs tested on different pairs, compare those of this set"
    )
    choice.add_argument("--separately", action="store_true", help="of runs tested on different pairs, report each set")
    watching = parser.add_argument_group("while a sweep runs")
    watching.add_argument(
        "--watch",
        nargs="?",
        const=10.0,
        type=number_within(0.1, 86400),
        metavar="SECONDS",
        help="report new results as they come, until Ctrl-C; looks for them every 10 seconds",
    )
    watching.add_argument("--until", type=count, metavar="RUNS", help="with --watch: end when so many runs have a result")
    options = parser.parse_args(arguments)
    if options.until is not None and options.watch is None:
        parser.error("--until says when --watch ends; give both")
    if options.votes and options.separately:
        parser.error("--votes are about one set of test pairs; choose it with --manifest")
    return options


if __name__ == "__main__":
    sys.exit(main())
