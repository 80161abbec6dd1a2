"""Unpack the archives of a data set and list what is in it: `python prepare.py NAME --from ARCHIVE -o DIR`."""

import argparse
import sys
from collections.abc import Sequence

from conf.arguments import some_path, some_text

NAMES = ("voicebank", "vctk", "maestro", "beethoven", "magnatagatune", "spear", "folder")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 if something is damaged, 2 for bad usage, 128 + n after signal n."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.signals import heeding_signals
    from machine.console import steady_streams

    steady_streams()
    options = parse(arguments)
    return heeding_signals(lambda: run(options), "the same command goes on where it stopped")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(prog="clarion-prepare", description=__doc__.split(":")[0] + ".")
    parser.add_argument("name", choices=NAMES, help="of the data set, as data=NAME has it; folder: any audio files")
    archive_help = "zip or tar archives, of any compression; parts of one archive have to be joined first"
    parser.add_argument("--from", dest="archives", nargs="+", required=True, type=some_path, metavar="ARCHIVE", help=archive_help)
    parser.add_argument("-o", "--output", required=True, type=some_path, metavar="DIR", help="folder for the data set")
    checksum_help = "of the archives in their order, if their source tells them: MD5, SHA-1 or SHA-256"
    parser.add_argument("--checksum", nargs="+", default=[], type=some_text, metavar="HEX", help=checksum_help)
    options = parser.parse_args(arguments)
    if len(options.checksum) > len(options.archives):
        parser.error(f"--checksum has {len(options.checksum)} values for {len(options.archives)} archives")
    return options


def run(options: argparse.Namespace) -> int:
    """Prepare what the command line asks for and return the exit code."""
    from lightning_modules.commands.prepare import prepare  # needs NumPy and more; --help does not wait for it
    from machine.console import printable

    try:
        return prepare(options.name, options.archives, options.output, options.checksum)
    except (ValueError, OSError) as error:
        print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
