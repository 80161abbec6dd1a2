"""Serve a page on which a file is restored, heard and seen: `python demo.py`."""

import argparse
import sys
from collections.abc import Sequence

from conf.arguments import count, number_within, some_text

HIGHEST_PORT = 65535


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 1 if there is nothing to serve, 2 for bad usage, 128 + n after signal n."""
    try:
        import clarion  # noqa: F401  # refuses to be imported where another project's packages stand in the place of ours
    except ImportError as error:
        sys.exit(f"error: {error}")
    from lightning_modules.signals import heeding_signals
    from machine.console import steady_streams

    steady_streams()
    options = parse(arguments)
    return heeding_signals(lambda: run(options), "the page is closed")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; exits with code 2 if it is not possible."""
    parser = argparse.ArgumentParser(prog="clarion-demo", description=f"{__doc__.split(':')[0]}.")
    method_help = "a .ckpt file, a run folder, or the name of a method without training, beside the shipped models and wiener"
    parser.add_argument("--method", action="append", default=[], type=some_text, metavar="RUN", help=method_help)
    host_help = "of this machine, by which the page is reached (default: 127.0.0.1, from this machine alone)"
    parser.add_argument("--host", type=some_text, default="127.0.0.1", metavar="NAME", help=host_help)
    parser.add_argument("--port", type=count, default=7860, metavar="N", help="0 takes a free one (default: 7860)")
    megabytes = number_within(0.001, 4096)
    parser.add_argument("--max-megabytes", type=megabytes, default=100.0, metavar="MB", help="of a file (default: 100)")
    seconds_help = "of a file, and of stereo at 48 kHz with as many samples (default: 300)"
    parser.add_argument("--max-seconds", type=number_within(1, 36000), default=300.0, metavar="SECONDS", help=seconds_help)
    device_help = "where methods run (default: a CUDA GPU if there is one, else the CPU)"
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto", help=device_help)
    trust_help = "a package of yours whose classes the methods may name"
    parser.add_argument("--trust", action="append", default=[], metavar="PACKAGE", help=trust_help)
    options = parser.parse_args(arguments)
    if options.port > HIGHEST_PORT:
        parser.error(f"argument --port: {options.port} must be a whole number from 0 to {HIGHEST_PORT}")
    return options


def run(options: argparse.Namespace) -> int:
    """Serve what the command line asks for and return the exit code."""
    from datamodules.audio.bounds import Bounds
    from lightning_modules.commands.demo import Showing, show  # needs torch; --help does not wait for it
    from machine.console import printable

    bounds = Bounds(options.max_megabytes, options.max_seconds)
    showing = Showing(options.method, options.device, options.trust, bounds, options.host, options.port)
    try:
        return show(showing)
    except (ValueError, OSError) as error:
        print(f"error: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
