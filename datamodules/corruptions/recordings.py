"""Random segments of recorded noise from a folder of audio files."""

import csv
import functools
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from datamodules import audio_io
from datamodules.corruptions.draws import uniform

BLOCK_SECONDS = 30
CACHED_BLOCKS = 128
CROSS_FADE_SECONDS = 0.05

logger = logging.getLogger(__name__)


class NoiseRecordings:
    """The usable audio files of a folder, from which segments are drawn.

    Files are equally likely, whatever their length, and so are the moments within one. Files are mixed down to one channel;
    each channel of an example gets its own moment of the same file.
    """

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
            raise ValueError(f"noise_root={root!r} is not a folder")
        paths = _audio_files(folder) if split is None else _files_of_split(folder, split)
        self._files = tuple(info for info in map(_probe_or_warn, paths) if info is not None)
        if not self._files:
            of_split = "" if split is None else f" of noise_split={split!r}"
            raise ValueError(f"noise_root={root!r} holds no readable audio file{of_split}")

    def draw(self, wanted: Tensor, shape: Sequence[int], sample_rate: int, generator: torch.Generator) -> Tensor:
        """Draw a segment for every channel of the wanted examples.

        Args:
            wanted: Which examples need noise, (B,), boolean.
            shape: (B, C, T).
            sample_rate: Rate of the result in Hz.
            generator: Only source of randomness; it advances alike whatever is wanted.

        Returns:
            Noise, (B, C, T), in CPU memory; zero for the other examples. A segment repeats, cross-faded, if it is short.
        """
        batch, channels, length = shape
        files = uniform(0.0, 1.0, (batch,), generator).tolist()
        moments = uniform(0.0, 1.0, (batch, channels), generator).tolist()
        noise = np.zeros((batch, channels, length), dtype=np.float32)
        for row in wanted.nonzero().flatten().tolist():
            info = self._files[int(files[row] * len(self._files))]
            noise[row] = [_segment(info, moment, length, sample_rate) for moment in moments[row]]
        return torch.from_numpy(noise)


def loop(audio: np.ndarray, fade_samples: int) -> np.ndarray:
    """Shorten a signal by folding its end over its beginning with an equal-power cross-fade, so that it repeats without a seam.

    Args:
        audio: (T,).
        fade_samples: Length F of the cross-fade; at most half the signal is used.

    Returns:
        One period, (T - F,).
    """
    fade = min(fade_samples, len(audio) // 2)
    period = audio[: len(audio) - fade].copy()
    angle = (np.arange(fade) + 0.5) * (np.pi / 2 / max(fade, 1))
    period[:fade] = audio[:fade] * np.sin(angle) + audio[len(audio) - fade :] * np.cos(angle)
    return period.astype(np.float32)


def _segment(info: audio_io.AudioInfo, moment: float, length: int, sample_rate: int) -> np.ndarray:
    """Cut (length,) samples at a moment in [0, 1) of a file."""
    block, within = divmod(moment * _blocks(info), 1)
    audio = _read_block(info, int(block), sample_rate)
    if len(audio) >= length:
        start = int(within * (len(audio) - length + 1))
        return audio[start : start + length]
    period = loop(audio, round(CROSS_FADE_SECONDS * sample_rate))
    return np.take(period, np.arange(length) + int(within * len(period)), mode="wrap")


@functools.lru_cache(maxsize=CACHED_BLOCKS)
def _read_block(info: audio_io.AudioInfo, block: int, sample_rate: int) -> np.ndarray:
    """Decode one block of a file, mix it down and resample it; kept, because decoding would cost more than all else together."""
    start, end = (number * info.frames // _blocks(info) for number in (block, block + 1))
    audio = audio_io.read(info.path, start, end - start).mean(axis=0, keepdims=True)
    return audio_io.resample(audio, info.sample_rate_hz, sample_rate)[0]


def _blocks(info: audio_io.AudioInfo) -> int:
    """Count the equal blocks of at most 30 s into which a file is divided."""
    return -(-info.frames // (BLOCK_SECONDS * info.sample_rate_hz))


def _probe_or_warn(path: Path) -> audio_io.AudioInfo | None:
    """Read a file's header, or name the file in a warning."""
    try:
        return audio_io.probe(path)
    except audio_io.AudioFileError as error:
        logger.warning("skipped noise recording %s", error)
        return None


def _audio_files(folder: Path) -> list[Path]:
    """List the audio files of a folder and its subfolders in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in audio_io.AUDIO_SUFFIXES)


def _files_of_split(folder: Path, split: str) -> list[Path]:
    """List the files that the folder's manifest assigns to a split."""
    manifest = folder / "MANIFEST.csv"
    if not manifest.is_file():
        raise ValueError(f"noise_split={split!r} needs {manifest} with the columns file and split")
    with manifest.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    splits = sorted({row.get("split") or "" for row in rows})
    if split not in splits:
        raise ValueError(f"noise_split={split!r} is not in {manifest}; known: {', '.join(splits)}")
    return [folder / row["file"] for row in rows if row["split"] == split]
