"""The scripts themselves in the process of a case, with everything that they and the libraries below them print."""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.robustness.tally import require

TINY_NET = ("model.net.depth=1", "model.net.channels=[4]", "model.net.kernels=[3]")


@dataclass(frozen=True)
class Spoken:
    """The exit code of a script, and what it and the libraries below it wrote to its two streams."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """All that was written."""
        return self.out + self.err


def spoken(script: str, arguments: Sequence[str], folder: Path) -> Spoken:
    """Run a script as its command line does; this process's output goes to files from now on, and no log goes there later.

    Args:
        script: train, evaluate, restore or compare.
        arguments: of the command line.
        folder: for what is written.
    """
    logging.disable(logging.NOTSET)
    main = importlib.import_module(script).main
    sys.argv = [f"{script}.py", *arguments]
    paths = [folder / "out.txt", folder / "err.txt"]
    sys.stdout, sys.stderr = (path.open("w", errors="surrogateescape", encoding="utf-8") for path in paths)
    for descriptor, stream in enumerate((sys.stdout, sys.stderr), start=1):
        os.dup2(stream.fileno(), descriptor)  # what libraries print too
    handlers = logging.root.handlers[:]
    try:
        code = main()
    except SystemExit as ended:
        code = ended.code
    logging.root.handlers[:] = handlers
    sys.stdout.flush()
    sys.stderr.flush()
    out, err = (path.read_text(errors="surrogateescape", encoding="utf-8") for path in paths)
    return Spoken(1, out, err + code) if isinstance(code, str) else Spoken(code or 0, out, err)


def require_sentences(text: str) -> None:
    """Hold what was printed to the promise: no traceback, and nothing that a terminal would obey.

    Raises:
        BrokenError: with the end of what was printed.
    """
    require("Traceback" not in text, f"prints a traceback: {text[-1500:]}")
    odd = [line for line in text.splitlines() if not line.expandtabs().isprintable()]
    require(not odd, f"prints {odd[:1]!r}")
