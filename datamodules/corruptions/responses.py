"""Recorded room impulse responses from a folder, aligned on their direct sound."""

import csv
import functools
import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules import audio_io
from datamodules.corruptions import draws

BEFORE_DIRECT_SECONDS = 0.001
"""What is kept before the direct sound's peak: it rings in most recordings."""

_CACHED_RESPONSES = 512

logger = logging.getLogger(__name__)


class RecordedResponses:
    """The readable impulse responses of a folder; every channel of a file is a response of its own."""

    def __init__(self, root: str, split: str | None = None) -> None:
        """List the files and read their headers; unreadable ones are named in one warning each and left out.

        Args:
            root: Folder, searched with its subfolders.
            split: Use only the files that MANIFEST.csv in the folder (columns `file`, `split`) assigns to this split.

        Raises:
            ValueError: If the folder, its manifest or any usable file is missing.
        """
        folder = Path(root)
        if not folder.is_dir():
            raise ValueError(f"rir_root={root!r} is not a folder")
        paths = _audio_files(folder) if split is None else _files_of_split(folder, split)
        self._files = tuple(info for info in map(_probe_or_warn, paths) if info is not None)
        if not self._files:
            raise ValueError(f"rir_root={root!r} holds no readable audio file of rir_split={split!r}")

    def draw(self, count: int, sample_rate: int, generator: torch.Generator) -> tuple[Tensor, int]:
        """Draw responses, all files equally likely.

        Args:
            count: How many.
            sample_rate: Rate in Hz to which they are resampled.
            generator: Only source of randomness.

        Returns:
            Responses (count, L) in CPU memory, zero behind their ends, and the index of their direct sound, where they are 1.
        """
        drawn = []
        for file, channel in draws.uniform(0, 1, (count, 2), generator).tolist():
            info = self._files[int(file * len(self._files))]
            drawn.append(_aligned_response(info, int(channel * info.channels), sample_rate))
        responses = np.zeros((count, max(map(len, drawn))), dtype=np.float32)
        for row, response in zip(responses, drawn, strict=True):
            row[: len(response)] = response
        return torch.from_numpy(responses), _samples_before_direct(sample_rate)


def align(response: np.ndarray, before_samples: int) -> np.ndarray:
    """Move the direct sound of a response to a fixed place and scale it to 1.

    The direct sound is the highest point within a millisecond (`before_samples`) of the first moment that reaches half the
    maximum: in some rooms a reflection is louder than it.

    Args:
        response: (L,), not silent.
        before_samples: Place of the direct sound in the result.

    Returns:
        (L',).
    """
    level = np.abs(response)
    first = int(np.argmax(level >= level.max() / 2))
    direct = first + int(np.argmax(level[first : first + before_samples + 1]))
    lead = np.zeros(max(0, before_samples - direct), dtype=response.dtype)
    return np.concatenate([lead, response[max(0, direct - before_samples) :]]) / response[direct]


@functools.lru_cache(maxsize=_CACHED_RESPONSES)
def _aligned_response(info: audio_io.AudioInfo, channel: int, sample_rate: int) -> np.ndarray:
    """Decode, resample and align one response; kept, because this costs more than the convolution."""
    response = audio_io.resample(audio_io.read(info.path)[channel : channel + 1], info.sample_rate_hz, sample_rate)[0]
    if not response.any():
        raise ValueError(f"{info.path}: channel {channel} is silent, so it is no impulse response; remove it from rir_root")
    return align(response, _samples_before_direct(sample_rate))


def _samples_before_direct(sample_rate: int) -> int:
    return round(BEFORE_DIRECT_SECONDS * sample_rate)


def _probe_or_warn(path: Path) -> audio_io.AudioInfo | None:
    try:
        return audio_io.probe(path)
    except audio_io.AudioFileError as error:
        logger.warning("skipped impulse response %s", error)
        return None


def _audio_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in audio_io.AUDIO_SUFFIXES)


def _files_of_split(folder: Path, split: str) -> list[Path]:
    manifest = folder / "MANIFEST.csv"
    if not manifest.is_file():
        raise ValueError(f"rir_split={split!r} needs {manifest} with the columns file and split")
    with manifest.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    splits = sorted({row.get("split") or "" for row in rows})
    if split not in splits:
        raise ValueError(f"rir_split={split!r} is not in {manifest}; known: {', '.join(splits)}")
    return [folder / row["file"] for row in rows if row["split"] == split]
