"""Training examples: which window of which recording a global example number stands for."""

import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.audio.io import AudioFileError
from datamodules.cache import Recordings
from datamodules.draws import Range, as_range, uniform
from datamodules.labels import label_numbers
from datamodules.levels import has_sound, is_silent, why_silent
from datamodules.pairs import read_corrupted
from datamodules.seeding import generator_for, mix_seed, shuffled

_TRIES = 20  # Windows drawn for one example before a silent one is accepted: the recordings may hold little else.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class WindowRules:
    """What a training window looks like.

    Attributes:
        window_samples: length.
        silence_db: RMS level without the mean, in dBFS, below which a window is drawn again; None accepts all.
        level_db: gain in dB, `[low, high]` or one number; None leaves the level alone.
        stride_samples: from one sliding window to the next; None draws windows anywhere.
    """

    window_samples: int
    silence_db: float | None = None
    level_db: Range | None = None
    stride_samples: int | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if self.window_samples < 1:
            raise ValueError(f"data.window_samples={self.window_samples} must be at least 1")
        if self.stride_samples is not None and self.stride_samples < 1:
            raise ValueError(f"data.stride_samples={self.stride_samples} must be at least 1, or null")
        if self.level_db is not None:
            as_range(self.level_db, "data.level_db")


class TrainWindows(Dataset[dict[str, Any]]):
    """Example n is a window whose recording and offset are drawn from a generator seeded by (seed, n).

    With a stride, windows begin at its multiples only, and every one of them comes once before any comes again: example n is
    window n modulo their number, in an order that is new for each round. A silent one is replaced by another that is drawn.

    All windows of all recordings are equally likely, so that long recordings are used in proportion; where recordings belong to
    shares, these come up by their weights, and within a share by length. Recordings shorter than a window are left out.

    Args:
        recordings: the clean audio, and its recorded partners if there are some.
        rules: length, silence threshold and level.
        seed: the run's seed.
        labeled: whether examples come with the numbers of their labels; see `labels.label_numbers`.

    Raises:
        ValueError: if every recording is shorter than the window, every one that is not is silent, or a stride is given where
            recordings come up by weights.
    """

    def __init__(self, recordings: Recordings, rules: WindowRules, seed: int, labeled: bool = False) -> None:
        """Count the windows of each recording."""
        lengths = [recordings.len_samples(index) for index in range(len(recordings.recordings))]
        if max(lengths, default=0) < rules.window_samples:
            raise ValueError(
                f"data.window_samples={rules.window_samples} is longer than each of the {len(lengths)} recordings of split "
                f"'train'; set data.window_samples to at most {max(lengths, default=0)}"
            )
        self._recordings, self._rules, self._seed = recordings, rules, seed
        self._labels = label_numbers(recordings.recordings) if labeled else None
        self._stride = rules.stride_samples or 1
        windows = np.maximum(0, (np.asarray(lengths, dtype=np.int64) - rules.window_samples) // self._stride + 1)
        self._windows_before = np.cumsum(windows) - windows
        self._windows = int(windows.sum())
        self._weights_up_to = _weights_up_to(recordings, windows)
        if rules.stride_samples is not None and self._weights_up_to is not None:
            raise ValueError(
                f"data.stride_samples={rules.stride_samples} takes every window equally often, which data.root_weights "
                "contradicts: set one of them to null"
            )
        self.too_short = int(np.count_nonzero(windows == 0))
        self._damaged: set[int] = set()
        self._refuse_silence(np.flatnonzero(windows).tolist())

    @property
    def count(self) -> int:
        """Return how many different windows there are."""
        return self._windows

    def __getitem__(self, n: int) -> dict[str, Any]:
        """Return `{"clean": (C, T) float32, "index": n}`, `recorded`, the part of the partner, if any, and `labels`."""
        generator = generator_for(self._seed, "window", n)
        recording, window = self._draw_audible(n, generator)
        if self._rules.level_db is not None:
            level_db = uniform(*as_range(self._rules.level_db, "data.level_db"), (), generator)
            window = {name: audio * 10 ** (level_db / 20) for name, audio in window.items()}
        labels = {} if self._labels is None else {"labels": torch.from_numpy(self._labels[recording])}
        return {**window, **labels, "index": n}

    def locate(self, generator: torch.Generator) -> tuple[int, int]:
        """Draw a window: the recording's index and the offset in samples."""
        if self._weights_up_to is not None:
            return self._locate_by_weight(self._weights_up_to, generator)
        return self._place(int(torch.randint(self._windows, (), generator=generator)))

    def slide(self, n: int) -> tuple[int, int]:
        """Return the sliding window of example n: the recording's index and the offset in samples."""
        round_number, place = divmod(n, self._windows)
        return self._place(shuffled(place, self._windows, mix_seed(self._seed, "slide", round_number)))

    def _place(self, window: int) -> tuple[int, int]:
        index = int(np.searchsorted(self._windows_before, window, side="right")) - 1
        return index, self._stride * (window - int(self._windows_before[index]))

    def _locate_by_weight(self, weights_up_to: np.ndarray, generator: torch.Generator) -> tuple[int, int]:
        drawn = float(torch.rand((), generator=generator, dtype=torch.float64)) * weights_up_to[-1]
        index = int(np.searchsorted(weights_up_to, drawn, side="right"))
        ends = np.append(self._windows_before[1:], self._windows)
        windows = int(ends[index] - self._windows_before[index])
        return index, int(torch.randint(windows, (), generator=generator))

    def _refuse_silence(self, used: list[int]) -> None:
        silence_db = self._rules.silence_db
        if any(has_sound(self._recordings, index, silence_db, self._rules.window_samples) for index in used):
            return
        why = why_silent(self._recordings, used[0], silence_db)
        raise ValueError(f"split 'train' is silent or damaged in all of its {len(used)} recordings, e.g. {why}")

    def _draw_audible(self, n: int, generator: torch.Generator) -> tuple[int, dict[str, Tensor]]:
        window, recording = None, 0
        for number in range(_TRIES):
            slides = number == 0 and self._rules.stride_samples is not None
            index, offset = self.slide(n) if slides else self.locate(generator)
            read = self._read(index, offset)
            window, recording = (read, index) if read else (window, recording)
            if read is not None and not is_silent(read["clean"], self._rules.silence_db):
                break
        if window is None:
            raise ValueError(f"{_TRIES} windows in a row are unreadable; data.cache=true finds broken files before training")
        return recording, {name: torch.from_numpy(np.ascontiguousarray(audio)) for name, audio in window.items()}

    def _read(self, index: int, offset: int) -> dict[str, np.ndarray] | None:
        """Return a window, or None where a file turns out to be damaged, which can only happen without the cache."""
        try:
            clean = self._recordings.read(index, offset, self._rules.window_samples)
            recorded = read_corrupted(self._recordings, index, offset, self._rules.window_samples)
            return {"clean": clean} if recorded is None else {"clean": clean, "recorded": recorded}
        except AudioFileError as error:
            if index not in self._damaged:
                log.warning("left out damaged windows of %s", error)
            self._damaged.add(index)
            return None


def _weights_up_to(recordings: Recordings, windows: np.ndarray) -> np.ndarray | None:
    """Return the sum of the weights of the recordings up to each, (N,); None where windows are drawn by length alone.

    Args:
        recordings: N, of which all belong to a share, or none.
        windows: how many each has, (N,).
    """
    shares = [recording.share for recording in recordings.recordings if recording.share is not None]
    if len(shares) < len(windows):
        return None
    totals: Counter[str] = Counter()
    for (label, _), count in zip(shares, windows.tolist(), strict=True):
        totals[label] += count
    weights = [weight * count / max(totals[label], 1) for (label, weight), count in zip(shares, windows.tolist(), strict=True)]
    return np.cumsum(weights)
