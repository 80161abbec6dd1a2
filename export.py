"""Write a trained method for others: as an ONNX file, or with -o DIR/ as weights in float16 and a description."""

import argparse
import sys
from collections.abc import Sequence

from conf.arguments import some_path, some_text


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 1 if it cannot be exported, 2 for bad usage, 128 + n after signal n."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.signals import heeding_signals
    from machine.console import steady_streams

    steady_streams()
    options = parse(arguments)
    return heeding_signals(lambda: run(options), "nothing is written")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(prog="clarion-export", description=__doc__)
    parser.add_argument("checkpoint", type=some_text, help="a .ckpt file, a run folder or a shipped model")
    output_help = "the file, such as model.onnx, or the folder of the weights, such as mine/"
    parser.add_argument("-o", "--output", required=True, type=some_path, metavar="PLACE", help=output_help)
    trust_help = "a package of yours whose classes the checkpoint may name"
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help=trust_help)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> int:
    """Export what the command line asks for and return the exit code."""
    from lightning_modules.commands.export import export, export_halves  # need torch; --help does not wait for it
    from machine.console import printable

    try:
        if not options.output.suffix:
            return export_halves(options.checkpoint, options.output)
        return export(options.checkpoint, options.output, options.trust)
    except (ValueError, OSError) as error:
        print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
