"""The processes of one training: what the first tells the others, and that none goes on where one is gone.

They meet in a store of keys and values, which torchrun holds, or else the first process. Nothing of it lies on a disk.
"""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta

from torch.distributed import DistError, PrefixStore, Store, TCPStore  # type: ignore[attr-defined]  # not in its __all__

from machine.launched import Launched

BEAT_SECONDS = 2.0
"""From one sign of life to the next."""
SILENCE_SECONDS = 30.0
"""After which a process without one is taken for gone."""
MEETING_SECONDS = 600.0
"""How long to wait for the store, which there is once the first process has started."""
PATIENCE_SECONDS = 60.0
"""After which waiting is told, and told again."""
PLACE = ("MASTER_ADDR", "MASTER_PORT")
MEETING = "CLARION_MEETING"
"""Variable that names what the processes tell each other, where a store may hold what others told before."""


class LostProcessError(ValueError):
    """Another process of this training is gone, so that this one cannot go on."""


FOLDER = "folder"
"""Under this name the first process tells the others which folder a new run would have."""
GONE = "{}, so that this one ends too; resume=auto goes on from the last checkpoint"


def is_of_lost_connection(error: BaseException) -> bool:
    """Say whether an error of a collective operation is that the other side is gone."""
    signs = ("gloo", "nccl", "connection closed by peer", "connection reset by peer", "broken pipe")
    return isinstance(error, DistError) or any(sign in str(error).lower() for sign in signs)


class Fleet:
    """What the processes of a training tell each other.

    Args:
        place: of this process.
        seconds: how long to wait for who holds the store; the default is for processes that are just starting.

    Raises:
        LostProcessError: if nobody does.
    """

    def __init__(self, place: Launched, seconds: float = MEETING_SECONDS) -> None:
        self.place = place
        address, port = (os.environ[name] for name in PLACE)
        holds = place.rank == 0 and os.environ.get("TORCHELASTIC_USE_AGENT_STORE") != str(True)
        limit = timedelta(seconds=seconds)
        try:
            store = TCPStore(address, int(port), is_master=holds, wait_for_workers=False, multi_tenant=True, timeout=limit)
            self._store: Store = PrefixStore(f"clarion/{os.environ.get(MEETING, '')}", store)
        except DistError as error:
            raise LostProcessError(
                f"process {place.rank} of {place.processes} cannot reach the first one at {address}:{port}: {error}"
            ) from error

    def tell(self, name: str, value: str) -> None:
        """Keep a value for all."""
        self._store.set(name, value)

    def told(self, name: str) -> str | None:
        """Return a value; None if nobody has told it yet.

        Raises:
            LostProcessError: if the store is gone.
        """
        try:
            return self._store.get(name).decode() if self._store.check([name]) else None
        except DistError as error:
            raise LostProcessError(GONE.format("the first process of this training is gone")) from error

    def hear(self, name: str, waits_for: str) -> str:
        """Wait for a value, however long that takes.

        Args:
            name: of the value.
            waits_for: what a sentence says of it, from time to time.

        Raises:
            LostProcessError: if the store is gone.
            SystemExit: if the first process has come to its end without a need for this one.
        """
        start = said = time.monotonic()
        while (value := self.told(name)) is None:
            time.sleep(0.1)
            if self.told(_ended(0)) == "0":
                raise SystemExit(0)
            if time.monotonic() - said > PATIENCE_SECONDS:
                said = time.monotonic()
                here = f"process {self.place.rank} of {self.place.processes}"
                print(f"{here} has waited {said - start:.0f} s for {waits_for}", flush=True)
        return value

    def begin(self) -> None:
        """Say that this process is there, and has not come to its end."""
        self.tell(_ended(self.place.rank), "")

    def end(self, exit_code: int) -> None:
        """Say that this process has done its part; those that are left need it no more, or end too. The first word counts."""
        with contextlib.suppress(DistError):
            self._store.compare_set(_ended(self.place.rank), "", str(exit_code))
            if self.place.rank == 0:
                self._wait_until_heard()

    def _wait_until_heard(self) -> None:
        """Hold the store until those that still need it know."""
        deadline = time.monotonic() + BEAT_SECONDS + 1
        others = range(1, self.place.processes)
        while time.monotonic() < deadline and any(self.told(_ended(rank)) == "" for rank in others):
            time.sleep(0.1)


class Watch:
    """A thread that shows that this process lives, and ends it where one that it needs does not.

    The first process looks at all, the others at the first. None waits for another in an operation of all meanwhile: such
    an operation may not return once one of them is gone. Nor may the store, where who holds it stands still or its machine is
    off: another thread sees to that.

    Args:
        place: of this process.
        ends: is called with a sentence.
        silence_seconds: after which a process is taken for gone.
    """

    def __init__(
        self, place: Launched, ends: Callable[[str], None] | None = None, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self._place, self._ends, self._silence_seconds = place, ends or end_process, silence_seconds
        self._fleet = Fleet(place)
        self._over = threading.Event()
        self._seen: dict[int, tuple[str, float]] = {}
        self._thread = threading.Thread(target=self._watch, daemon=True, name="clarion-watch")
        self._rounds = 0

    def start(self) -> "Watch":
        """Begin."""
        self._fleet.begin()
        self._thread.start()
        threading.Thread(target=self._see_that_it_watches, daemon=True, name="clarion-watched").start()
        return self

    def end(self, exit_code: int) -> None:
        """Look no more, and say that this process has come to its end."""
        if not self._over.is_set():
            self._over.set()
            self._fleet.end(exit_code)

    def _see_that_it_watches(self) -> None:
        """End this process where the store does not answer; what stands still itself counts no beats, and is not mistaken."""
        seen, silent = 0, 0.0
        while not self._over.wait(BEAT_SECONDS) and self._thread.is_alive():
            silent = silent + BEAT_SECONDS if self._rounds == seen else 0.0
            seen = self._rounds
            if silent > self._silence_seconds:
                self._ends(GONE.format("the first process of this training does not answer"))
                return

    def _watch(self) -> None:
        while not self._over.wait(BEAT_SECONDS if self._rounds else 0):
            self._rounds += 1
            try:
                if self._fleet.told(_ended(self._place.rank)):
                    return
                self._fleet.tell(_alive(self._place.rank), str(self._rounds))
                why = next((why for rank in self._needed() if (why := self._why_ended(rank))), None)
            except DistError:
                why = GONE.format("the first process of this training is gone")
            except LostProcessError as error:
                why = str(error)
            if why and not self._over.is_set():
                self._ends(why)
                return

    def _needed(self) -> Iterable[int]:
        return range(1, self._place.processes) if self._place.rank == 0 else [0]

    def _why_ended(self, rank: int) -> str | None:
        """Return what is to be told of a process that has ended; None if it lives, has not begun or has done its part."""
        code, beat = self._fleet.told(_ended(rank)), self._fleet.told(_alive(rank))
        named = f"process {rank} of {self._place.processes}"
        if code:
            return None if code == "0" else f"{named} has ended with exit code {code}, so that this one ends too"
        before, since = self._seen.get(rank, ("", 0.0))
        if beat is None or beat != before:
            self._seen[rank] = (beat or "", time.monotonic())
            return None
        return GONE.format(f"{named} is gone") if time.monotonic() - since > self._silence_seconds else None


def end_process(sentence: str) -> None:
    """End this process, which may be within an operation that does not return."""
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    os._exit(1)


def _ended(rank: int) -> str:
    return f"ended/{rank}"


def _alive(rank: int) -> str:
    return f"alive/{rank}"
