"""Remember which pairs were compared, by their content, so that only the first of many runs has to."""

import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np

from datamodules.alignment import ALLOWED_SAMPLES, clear_delay
from datamodules.audio.checks import AudioFileError, check_regular
from datamodules.audio.partial import OutputError, replaced_when_done

FILE = "delays.json"
"""Of a cache."""

_RULES = f"1 {ALLOWED_SAMPLES}"  # Part of every key; the first number to be raised when `clear_delay` decides otherwise.


class KnownDelays:
    """What `clear_delay` says of pairs, from a file where it has said so before.

    Args:
        path: of the file; None remembers nothing. What is damaged or missing there is computed again.
    """

    def __init__(self, path: Path | None) -> None:
        """Remember the path; the file is read when the first pair is asked about."""
        self._path = path
        self._known: dict[str, int] | None = None
        self._new: dict[str, int] = {}

    def of(self, clean: np.ndarray, corrupted: np.ndarray) -> int:
        """Return the delay of a pair (C, T); see `clear_delay`."""
        if self._path is None:
            return clear_delay(clean, corrupted)
        if self._known is None:
            self._known = _read(self._path)
        key = _key(clean, corrupted)
        if key not in self._known:
            self._known[key] = self._new[key] = clear_delay(clean, corrupted)
        return self._known[key]

    def keep(self) -> None:
        """Add what is new to the file, if its folder can be written to."""
        if self._path is None or not self._new:
            return
        text = json.dumps(_read(self._path) | self._new)
        with contextlib.suppress(OutputError, OSError), replaced_when_done(self._path) as partial:
            partial.write_text(text, encoding="utf-8")
            self._new = {}


def _key(clean: np.ndarray, corrupted: np.ndarray) -> str:
    hashed = hashlib.sha256(f"{_RULES} {clean.shape} {corrupted.shape}".encode())
    for signal in (clean, corrupted):
        hashed.update(signal.astype(np.float32).tobytes())
    return hashed.hexdigest()[:32]


def _read(path: Path) -> dict[str, int]:
    try:
        check_regular(path)
        found = json.loads(path.read_text(encoding="utf-8"))
    except (AudioFileError, OSError, ValueError):
        return {}
    return {key: delay for key, delay in found.items() if type(delay) is int} if isinstance(found, dict) else {}
