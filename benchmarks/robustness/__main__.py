"""Try what users' disks and hands do to the suite, and count what held: `python -m benchmarks.robustness`."""

import argparse
import importlib
import logging
import pkgutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import benchmarks.robustness
from benchmarks.robustness.tally import HEADER, require_linux


def kinds() -> list[str]:
    """Return the modules beside this one that have cases."""
    found = [module.name for module in pkgutil.iter_modules(benchmarks.robustness.__path__)]
    return [name for name in found if "\ndef run(" in (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")]


def main() -> int:
    """Print the rows of a table; exit 1 if something did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.split(":")[0] + ".")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(kinds())} or all (the default)")
    parser.add_argument("--count", type=int, help="cases, or wrong values of each key (default: see docs/reliability.md)")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    chosen = kinds() if options.kinds in ([], ["all"]) else options.kinds
    if unknown := set(chosen) - {*kinds()}:
        parser.error(f"no such kind: {', '.join(sorted(unknown))}; known: {', '.join(kinds())}")
    require_linux()
    logging.disable(logging.WARNING)
    print(HEADER, flush=True)
    broken = 0
    for kind in chosen:
        module = importlib.import_module(f"benchmarks.robustness.{kind}")
        with tempfile.TemporaryDirectory() as folder:
            for tally in module.run(options.count or module.CASES, options.seed, Path(folder)):
                print(tally.row(), flush=True)
                broken += len(tally.broken)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
