"""Evaluation examples: a fixed list of clean and corrupted pairs, and the hash that says which list it is."""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from datamodules.audio.io import AudioFileError
from datamodules.audio.names import normalized
from datamodules.audio.notes import HANDFUL
from datamodules.cache import Recordings
from datamodules.cache_format import to_stored
from datamodules.channel_layouts import as_recorded
from datamodules.corruptions import Corruption
from datamodules.levels import is_silent, why_silent
from datamodules.pairs import read_corrupted
from datamodules.seeding import mix_seed

_CHECKSUM_BLOCKS = 16
_LEVELS = 4096
_RELEVANT_SHARE = 0.01  # Of the power: 0.04 dB of a ratio.

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvalWindow:
    """One evaluation example.

    Attributes:
        file: path relative to the source's root, with forward slashes and composed letters.
        offset_samples: where it begins.
        length_samples: its length.
        checksum: of the clean audio; see `checksum`.
        seed: seed of the generator that the corruption draws from.
        part_samples: start and length of the part of the file that the split may use, where it is a part.
        mean: where an offset holds more than 1 % of the power, the mean of each channel in 1/4096 of full scale. The ratios
            of such a window are those of the rest; its pair was another one before they were.
        corrupted_checksum: of the recorded partner, where there is one.
    """

    file: str
    offset_samples: int
    length_samples: int
    checksum: str
    seed: int
    part_samples: tuple[int, int] | None = None
    mean: tuple[int, ...] | None = None
    corrupted_checksum: str | None = None


class _Facts(NamedTuple):
    """What is in a window; see `EvalWindow`."""

    checksum: str
    mean: tuple[int, ...] | None
    corrupted_checksum: str | None


@dataclass(frozen=True)
class EvalRules:
    """Which windows of a recording are evaluated.

    Attributes:
        window_samples: length; shorter recordings give one example of their whole length.
        least_samples: recordings shorter than this, and than `window_samples`, are left out.
        per_recording: how many windows at most; they do not overlap and are evenly spaced.
        silence_db: RMS level without the mean, in dBFS, below which a window is left out: ratios to silence mean nothing.
        seed: of the corruptions; the same for all runs that are to be compared.
    """

    window_samples: int
    least_samples: int
    per_recording: int
    silence_db: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values."""
        if self.window_samples < 1 or self.per_recording < 1:
            raise ValueError("data.eval_seconds and data.eval_windows must be above 0")

    @property
    def shortest(self) -> str:
        """Write the shortest length that is evaluated, as the key that decides it."""
        if self.least_samples <= self.window_samples:
            return f"data.window_samples={self.least_samples}"
        return f"data.eval_seconds (here {self.window_samples} samples)"

    def spans(self, length_samples: int) -> list[tuple[int, int]]:
        """Return offset and length of each window of a recording of this length.

        Example:
            >>> EvalRules(10, 5, 2).spans(26), EvalRules(10, 5, 2).spans(7), EvalRules(10, 5, 2).spans(4)
            ([(2, 10), (14, 10)], [(0, 7)], [])
        """
        if length_samples < min(self.least_samples, self.window_samples):
            return []
        window = min(self.window_samples, length_samples)
        count = min(self.per_recording, length_samples // window)
        free = length_samples - count * window
        return [(free * (place + 1) // (count + 1) + window * place, window) for place in range(count)]


class EvalWindows(Dataset[dict[str, Any]]):
    """Clean and corrupted pairs that are the same for every method, training seed, worker count and process.

    Args:
        recordings: the clean audio of one split, and its recorded partners if there are some.
        root: folder that the manifest's paths are relative to.
        split: `val` or `test`; part of the seeds.
        rules: which windows.
        corruption: applied to one example at a time on the CPU, to its partner where there is one.
        sample_rate: in Hz.
        turn: what becomes of the channels of both sides after the corruption; see `channel_layouts`.

    Raises:
        ValueError: if there is no window to evaluate.
    """

    def __init__(
        self,
        recordings: Recordings,
        root: Path,
        split: str,
        rules: EvalRules,
        corruption: Corruption,
        sample_rate: int,
        turn: Callable[[Tensor], Tensor] = as_recorded,
    ) -> None:
        """List the windows, reading each once to leave out silence and damage."""
        self._recordings, self._corruption, self._sample_rate = recordings, corruption, sample_rate
        self._rules, self._turn = rules, turn
        spans = [rules.spans(recordings.len_samples(index)) for index in range(len(recordings.recordings))]
        self.too_short = sum(not windows for windows in spans)
        places = [(index, *span) for index, windows in enumerate(spans) for span in windows]
        self._facts = {place: facts for place in places if (facts := self._look(*place))}
        self._places = list(self._facts)
        reasons = self._name_silent([index for index, windows in enumerate(spans) if windows])
        if not self._places:
            raise ValueError(
                f"split {split!r} gives no evaluation example: {self.too_short} of {len(spans)} recordings are shorter than "
                f"{rules.shortest} at {sample_rate} Hz, the others are silent or damaged"
                + "".join(f"; {reason}" for reason in reasons[:1])
            )
        self._windows = [self._window(root, split, *place) for place in self._places]

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self._places)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return `{"clean": (C, T), "corrupted": (C, T), "index": index}`."""
        clean = torch.from_numpy(np.ascontiguousarray(self._recordings.read(*self._places[index])))
        recorded = read_corrupted(self._recordings, *self._places[index])
        before = clean if recorded is None else torch.from_numpy(np.ascontiguousarray(recorded))
        generator = torch.Generator().manual_seed(self._windows[index].seed)
        corrupted = self._corruption(before[None], self._sample_rate, generator)[0]  # (C, T)
        return {"clean": self._turn(clean), "corrupted": self._turn(corrupted), "index": index}

    def manifest(self) -> list[dict[str, Any]]:
        """List file, offset_samples, length_samples, checksum and seed of every example, and what else `EvalWindow` has."""
        return [{key: value for key, value in asdict(window).items() if value is not None} for window in self._windows]

    def _name_silent(self, indices: list[int]) -> list[str]:
        """Name a handful of the recordings of which no window is evaluated, and count the others."""
        evaluated = {index for index, _, _ in self._places}
        silent = [index for index in indices if index not in evaluated]
        reasons = [why_silent(self._recordings, index, self._rules.silence_db) for index in silent[:HANDFUL]]
        for reason in reasons:
            log.warning("no window is evaluated of %s", reason)
        if silent[HANDFUL:]:
            log.warning("nor of %d more recordings", len(silent) - HANDFUL)
        return reasons

    def _look(self, index: int, offset: int, length: int) -> _Facts | None:
        """Return what the manifest says of the audio in a window, or nothing for a silent or damaged one."""
        try:
            clean = self._recordings.read(index, offset, length)
            recorded = read_corrupted(self._recordings, index, offset, length)
        except AudioFileError as error:
            log.warning("left out a damaged window of %s", error)
            return None
        if is_silent(clean, self._rules.silence_db):
            return None
        return _Facts(checksum(clean), relevant_mean(clean), None if recorded is None else checksum(recorded))

    def _window(self, root: Path, split: str, index: int, offset: int, length: int) -> EvalWindow:
        recording = self._recordings.recordings[index]
        file = normalized(recording.name or Path(os.path.relpath(recording.path, root)).as_posix())
        first = offset + (recording.part_samples[0] if recording.part_samples else 0)
        seed = mix_seed(self._rules.seed, split, file, first)  # Not from the position: other files must not change it.
        facts = self._facts[index, offset, length]
        return EvalWindow(file, first, length, facts.checksum, seed, recording.part_samples, facts.mean, facts.corrupted_checksum)


def relevant_mean(audio: np.ndarray) -> tuple[int, ...] | None:
    """Return the mean of each channel of (C, T) in 1/4096 of full scale if it holds more than 1 % of the power.

    Example:
        >>> relevant_mean(np.array([[0.6, 0.4]])), relevant_mean(np.array([[0.11, -0.1]]))
        ((2048,), None)
    """
    means = audio.mean(axis=1, dtype=np.float64)
    if np.sum(means**2) <= _RELEVANT_SHARE * np.sum(np.mean(np.square(audio, dtype=np.float64), axis=1)):
        return None
    return tuple(int(mean) for mean in np.rint(means * _LEVELS))


def checksum(audio: np.ndarray) -> str:
    """Return a checksum of how the level moves, which is the same however the samples were stored or resampled.

    A checksum of rounded samples would not be: resamplers and decoders differ from machine to machine in the last bits, and
    among thousands of samples one always lies where that changes its rounding. So the RMS level of each sixteenth of each
    channel is taken, after rounding to 16 bits as the cache does, and rounded to 1/4096 of full scale.

    Args:
        audio: (C, T), at least 1 sample.

    Returns:
        16 hexadecimal digits. Audio that differs in its levels nowhere, such as the same with its sign turned, shares them.
    """
    samples = to_stored(audio, "int16").astype(np.float64) / 32768
    parts = np.array_split(samples, min(_CHECKSUM_BLOCKS, samples.shape[1]), axis=1)
    levels = [np.rint(np.sqrt(np.mean(part**2, axis=1)) * _LEVELS).astype("<i4").tobytes() for part in parts]
    return hashlib.sha256(b"".join(levels)).hexdigest()[:16]


def hash_manifest(
    examples: Sequence[dict[str, Any]], corruption: str, sample_rate: int, channels: int, layout: str = "left_right"
) -> str:
    """Return the SHA-256 of everything that defines the evaluated pairs.

    Args:
        examples: `EvalWindows.manifest()`.
        corruption: `describe.describe` of the corruption.
        sample_rate: in Hz.
        channels: count.
        layout: of two channels; see `channel_layouts`.
    """
    content = {"examples": list(examples), "corruption": corruption, "sample_rate": sample_rate, "channels": channels}
    if layout != "left_right":  # So that hashes from before there was a choice hold.
        content["channel_layout"] = layout
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
