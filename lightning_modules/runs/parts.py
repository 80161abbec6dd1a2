"""Work in parts, where one that fails costs the others nothing: its result is kept on disk after every part."""

import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from lightning_modules.runs.json_file import write_json
from lightning_modules.signals import Interrupted
from models.streaming.device_limits import lacking

T = TypeVar("T")
log = logging.getLogger(__name__)


class KeptResult:
    """A result that grows part by part, and its JSON file, which is whole at any moment.

    Args:
        path: of the file.
        content: what is known at first; it is written at once.
        stopped: says whether the rest is to be left out.

    Attributes:
        content: what the file holds; `problems` names the parts that failed or were left out, and why.
        is_whole: whether nothing was left out, or interrupted, because the run was asked to end.
    """

    def __init__(self, path: Path, content: Mapping[str, Any], stopped: Callable[[], bool]) -> None:
        self.path, self.stopped = path, stopped
        self.is_whole = True
        self.problems: list[str] = []
        self.content = {**content, "problems": self.problems}
        self._write()

    def keep(self, **more: Any) -> None:
        """Add to the result."""
        self.content |= more
        self._write()

    def part(self, name: str, work: Callable[..., T], *arguments: Any) -> T | None:
        """Do a part of the work that takes time, or leave it out if the rest is to be left out; as `always`."""
        if self.stopped():
            self._leave_out(name, "left out")
            return None
        return self.always(name, work, *arguments)

    def always(self, name: str, work: Callable[..., T], *arguments: Any) -> T | None:
        """Do a part of the work; what goes wrong is told in a sentence on stderr and kept, and the next part can go on.

        So can the next one when a part is interrupted by a signal.

        Returns:
            What the part returns; None if it fails.
        """
        try:
            return work(*arguments)
        except Exception as error:
            self.tell(name, error)
            self._write()
            return None
        except Interrupted:
            self._leave_out(name, "interrupted")
            return None

    def _leave_out(self, name: str, how: str) -> None:
        self.is_whole = False
        self.problems.append(f"{name}: {how}, as the run was asked to end")

    def tell(self, name: str, error: Exception) -> None:
        """Say once that a part failed."""
        log.debug("%s failed", name, exc_info=error)
        problem = f"{name}: {cause(error)}"
        if problem not in self.problems:
            self.problems.append(problem)
            print(f"error: {name} failed, and the rest goes on: {cause(error)}", file=sys.stderr, flush=True)

    def _write(self) -> None:
        try:
            write_json(self.path, self.content)
        except Exception as error:
            self.tell(self.path.name, error)


def beyond_device(error: Exception) -> str | None:
    """Say what the device of a trainer cannot compute, and where it is computed; None of any other error."""
    told = lacking(error)
    return None if told is None else f"{told}; trainer.accelerator=cpu computes on the CPU"


def cause(error: Exception) -> str:
    """Say in a line what is wrong; an error that nobody foresaw is named by its kind too.

    >>> cause(ValueError("no such file")), cause(KeyError("lsd"))
    ('no such file', "KeyError: 'lsd'")
    """
    if (told := beyond_device(error)) is not None:
        return told
    kind = "" if isinstance(error, ValueError | OSError) and str(error) else f"{type(error).__name__}: "
    return f"{kind}{' '.join(str(error).split())}".removesuffix(": ")
