"""What the processes of one training tell each other before it begins: which run it is, and who fills the cache."""

import contextlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from lightning_modules.fleet import FOLDER, Fleet
from machine.launched import launched

RUN = "run"
"""Under this name the first process tells the others which run it has opened."""
VISIBLE_SECONDS = 60.0
"""How long what one machine has written may stay unseen on another, whose file system remembers that it was not there."""


class Together:
    """The way of a training to its first batch, with the processes that torchrun or srun started beside this one, if any.

    Args:
        variables: of the environment that tell the others of the run; those that Lightning starts inherit them.
    """

    def __init__(self, variables: Sequence[str]) -> None:
        self._variables = variables
        place = launched()
        self._fleet = Fleet(place) if place is not None and place.processes > 1 else None

    def begin(self, folder: Path) -> None:
        """Let the others begin, in the first process.

        Args:
            folder: proposed for the run.
        """
        if self._fleet is not None and self._fleet.place.rank == 0:
            self._fleet.tell(FOLDER, str(folder.absolute()))

    @contextlib.contextmanager
    def filling_cache(self) -> Iterator[None]:
        """Let one process of every machine decode, which the others of that machine wait for."""
        if self._fleet is None:
            yield
            return
        cached = f"cached/{self._fleet.place.machine}"
        if self._fleet.place.local_rank > 0:
            self._fleet.hear(cached, "the decoded recordings, which another process of this machine makes")
        yield
        if self._fleet.place.local_rank == 0:
            self._fleet.tell(cached, "yes")

    def wait_for_others(self) -> None:
        """Wait in the first process until all can train: a folder that a new run does not need is only then given up."""
        if self._fleet is not None:
            for rank in range(1, self._fleet.place.processes):
                self._fleet.hear(_ready(rank), f"process {rank} to read its data")

    def tell_run(self) -> None:
        """Tell the others of the run that is opened."""
        if self._fleet is not None:
            values = {name: os.environ[name] for name in self._variables if name in os.environ}
            self._fleet.tell(RUN, json.dumps(values))

    def hear_run(self, folder_variable: str) -> None:
        """Wait until the first process has told of the run, and until its folder is seen here.

        Args:
            folder_variable: of the environment, which names the folder.
        """
        if self._fleet is None:
            return
        self._fleet.tell(_ready(self._fleet.place.rank), "yes")
        os.environ.update(json.loads(self._fleet.hear(RUN, "the first one to open the run")))
        card, deadline = Path(os.environ[folder_variable]) / "run.json", time.monotonic() + VISIBLE_SECONDS
        while not card.exists() and time.monotonic() < deadline:
            time.sleep(0.1)


def _ready(rank: int) -> str:
    return f"ready/{rank}"
