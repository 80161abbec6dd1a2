"""Remember what was found out about files, so that a start opens only those that are new or have changed.

A fact holds as long as the file has the size and the times of modification and of change that it had before it was read. No
program can set the time of change (`st_ctime_ns`). What was changed within two seconds before is not remembered: another change
could have the same times. Windows keeps no time of change: nothing is remembered there.
"""

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import soundfile

from datamodules.audio.checks import AudioFileError, check_regular
from datamodules.audio.partial import OutputError, replaced_when_done
from datamodules.audio.suffixes import codecs_are_installed

_FOLDER = "files"
"""Of a cache: one file for each data set."""
_FORM = 1  # To be raised when the facts mean something else, or more is asked of a file before it counts as readable.
_SETTLED_NS = 2_000_000_000  # The coarsest times that file systems keep.
_KEEPS_TIME_OF_CHANGE = os.name == "posix"

State = tuple[int, int, int]
"""Size in bytes, time of modification and time of change in ns."""
Facts = dict[str, Any]
"""By kind, what JSON can hold, and never None."""

log = logging.getLogger(__name__)


class FileFacts:
    """What earlier starts found out about the files of a data set.

    Several processes may keep one file: it is replaced as a whole, and what one of them loses is found out again.

    Args:
        path: of the file; None remembers nothing. What is damaged or missing there is found out again.
    """

    def __init__(self, path: Path | None) -> None:
        """Remember the path; the file is read when the first file is looked at."""
        self._path = path if _KEEPS_TIME_OF_CHANGE else None
        self._known: dict[str, tuple[State, Facts]] | None = None
        self._is_changed = False
        self._reading = threading.Lock()

    @classmethod
    def of_data_set(cls, cache: Path, root: Path) -> "FileFacts":
        """Return those of the files of a folder, kept in the folder of a cache."""
        return cls(cache / _FOLDER / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:32]}.json")

    def look(self, path: str | os.PathLike[str]) -> "Seen":
        """Return what is known of a file as it is now; to be called before it is read."""
        if self._path is None:
            return Seen(self, "", None)
        try:
            found = os.stat(path)
        except OSError:
            return Seen(self, "", None)
        is_settled = time.time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _SETTLED_NS
        state = (found.st_size, found.st_mtime_ns, found.st_ctime_ns) if is_settled else None
        return Seen(self, os.path.abspath(path), state)

    def recall(self, path: str, state: State, kind: str) -> Any:
        """Return a fact about a file in this state; None if it is not known."""
        known, facts = self._loaded().get(path, (None, {}))
        return facts.get(kind) if known == state else None

    def remember(self, path: str, state: State, kind: str, value: Any) -> None:
        """Take down a fact about a file, which had this state before it was read."""
        loaded = self._loaded()
        known, facts = loaded.get(path, (None, {}))
        loaded[path] = (state, {**(facts if known == state else {}), kind: value})
        self._is_changed = True

    def keep(self) -> None:
        """Write what is new, if the folder can be written to, with what other processes have found out, and let go of it all."""
        known, self._known = self._known, None
        if self._path is None or known is None or not self._is_changed:
            return
        entries = {path: entry for path, entry in (_read(self._path) | known).items() if os.path.exists(path)}
        text = json.dumps({path: [*state, facts] for path, (state, facts) in entries.items()})
        with contextlib.suppress(OutputError, OSError), replaced_when_done(self._path) as partial:
            partial.write_text(f"{_seal(text)}\n{text}", encoding="ascii")
        self._is_changed = False

    def _loaded(self) -> dict[str, tuple[State, Facts]]:
        with self._reading:
            if self._known is None:
                self._known = {} if self._path is None else _read(self._path)
            return self._known

    def __reduce__(self) -> tuple[type["FileFacts"], tuple[Path | None]]:
        return FileFacts, (self._path,)


NO_FACTS = FileFacts(None)
"""Of whoever remembers nothing."""


@dataclass(frozen=True)
class Seen:
    """A file as it was when it was looked at.

    Attributes:
        facts: about its data set.
        path: absolute.
        state: None if the file is not there, has just changed, or nothing is remembered.
    """

    facts: FileFacts
    path: str
    state: State | None

    def recall(self, kind: str) -> Any:
        """Return a fact; None if it is not known, or the file has changed since."""
        return None if self.state is None else self.facts.recall(self.path, self.state, kind)

    def remember(self, kind: str, value: Any) -> None:
        """Take down what was read of the file since it was looked at."""
        if self.state is not None:
            self.facts.remember(self.path, self.state, kind, value)


def _seal(text: str) -> str:
    """Hash the facts, and what decides which files can be read."""
    readers = f"{_FORM} {soundfile.__libsndfile_version__} {codecs_are_installed()}"
    return hashlib.sha256(f"{readers}\n{text}".encode()).hexdigest()


def _read(path: Path) -> dict[str, tuple[State, Facts]]:
    try:
        check_regular(path)
        seal, _, text = path.read_text(encoding="ascii").partition("\n")
    except (AudioFileError, OSError, ValueError):
        return {}
    if seal != _seal(text):
        log.info("%s is damaged or of another version; the files of its data set are read again", path)
        return {}
    found: dict[str, tuple[int, int, int, Facts]] = json.loads(text)
    return {name: ((size, modified, changed), facts) for name, (size, modified, changed, facts) in found.items()}
