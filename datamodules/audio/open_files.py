"""Read parts of many files again and again; a bounded number stays open, since opening costs more than a window."""

import contextlib
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datamodules.audio.checks import is_scarcity
from datamodules.audio.decoder import Decoder
from datamodules.audio.io import AudioFileError, open_audio, read, read_open

MOST_OPEN = 128
"""Files of one process; a decoder of FLAC takes about 0.2 MB."""
_EXACT_FORMATS = frozenset({"FLAC", "WAV", "WAVEX", "RF64", "AIFF"})
"""Of which a part is the same whatever was decoded before it, where the samples are not coded."""
_EXACT_SUBTYPES = ("PCM_", "FLOAT", "DOUBLE")


@dataclass(frozen=True)
class _Opened:
    file: Decoder
    closing: contextlib.ExitStack


class OpenFiles:
    """Audio files that are kept open by this process, those that were used last.

    A process that is forked from this one opens its own: two of them cannot share a position in a file. Pickled, it is empty.

    Args:
        most: how many are kept.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        """Open nothing yet."""
        self._most = most
        self._begin()

    def __len__(self) -> int:
        """Return how many files are open and not being read."""
        return len(self._idle)

    def read(self, path: Path, start_samples: int, count_samples: int) -> np.ndarray:
        """Decode a part of a file; see `io.read`.

        Raises:
            AudioFileError: as `io.read`; the file is then opened anew the next time.
            OSError: if the system lets no further file be opened, not even after those that are not being read have been closed.
        """
        try:
            return self._read(path, start_samples, count_samples)
        except OSError as error:
            if not is_scarcity(error):
                raise
            self.close()
            return self._read(path, start_samples, count_samples)

    def close(self) -> None:
        """Close what is not being read; it is opened anew when it is read again."""
        self._begin_if_forked()
        with self._lock:
            closed = list(self._idle.values())
            self._idle.clear()
            self._inexact.clear()
        for opened in closed:
            opened.closing.close()

    def _read(self, path: Path, start_samples: int, count_samples: int) -> np.ndarray:
        opened = self._take(path)
        if opened is None:
            return read(path, start_samples, count_samples)
        try:
            samples = read_open(opened.file, path, start_samples, count_samples)
        except (AudioFileError, OSError):
            opened.closing.close()
            raise
        self._give_back(path, opened)
        return samples

    def _take(self, path: Path) -> _Opened | None:
        """Return an open file that nobody else reads from; None where the format cannot be entered exactly."""
        self._begin_if_forked()
        with self._lock:
            opened = self._idle.pop(path, None)
        if opened is not None or path in self._inexact:
            return opened
        with contextlib.ExitStack() as closing:
            file = closing.enter_context(open_audio(path))
            if is_exact(file):
                return _Opened(file, closing.pop_all())
        self._inexact.add(path)
        return None

    def _give_back(self, path: Path, opened: _Opened) -> None:
        with self._lock:
            surplus = [self._idle.pop(path)] if path in self._idle else []
            self._idle[path] = opened
            while len(self._idle) > self._most:
                surplus.append(self._idle.popitem(last=False)[1])
        for other in surplus:
            other.closing.close()

    def _begin_if_forked(self) -> None:
        if os.getpid() != self._process:
            self._begin()

    def _begin(self) -> None:
        self._process, self._lock = os.getpid(), threading.Lock()
        self._idle: OrderedDict[Path, _Opened] = OrderedDict()
        self._inexact: set[Path] = set()

    def __reduce__(self) -> tuple[type["OpenFiles"], tuple[int]]:
        return OpenFiles, (self._most,)


SHARED = OpenFiles()
"""Of this process: all its recordings together keep no more open than the system lets one process."""


def is_exact(file: Decoder) -> bool:
    """Tell whether any part of an open file is decoded to the same samples as by a file that was just opened."""
    return file.seekable() and file.format in _EXACT_FORMATS and file.subtype.startswith(_EXACT_SUBTYPES)
