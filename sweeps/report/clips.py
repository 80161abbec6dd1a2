"""What can be heard: for each example the corrupted, the clean, every method's version and an anchor, at one loudness."""

import base64
import hashlib
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from datamodules import audio_io
from sweeps.report.loudness import loudness_lufs, matching_gains_db
from sweeps.report.methods import CORRUPTED, Method

CLEAN, ANCHOR = "clean", "anchor"
ANCHOR_HZ = 3500
"""The low anchor of Recommendation ITU-R BS.1534-3 is the clean signal below 3.5 kHz."""


@dataclass(frozen=True)
class Clip:
    """A sound file of the report; its name tells nothing about who made it, so that a listener stays blind."""

    name: str
    content: str
    seconds: float
    rate_hz: int


@dataclass(frozen=True)
class Example:
    """One test pair: which clip and which gain belongs to each version (corrupted, clean, anchor, or the id of a method)."""

    index: int
    file: str
    clips: Mapping[str, Clip]
    gains_db: Mapping[str, float]


def collect_examples(methods: Sequence[Method]) -> tuple[list[Example], list[str]]:
    """Find the examples of all runs; of a method with several seeds the first is heard.

    Args:
        methods: the rows of the leaderboard.

    Returns:
        The examples by index, their corrupted and clean versions those of the first run that has them; and a sentence for each
        that cannot be read.
    """
    paths: dict[int, dict[str, Path]] = {}
    files: dict[int, str] = {}
    for method in (method for method in methods if method.runs):
        run = method.runs[0]
        for index, folder in _indices(run.folder / "examples").items():
            versions = paths.setdefault(index, {name: folder / f"{index:04d}_{name}.flac" for name in (CORRUPTED, CLEAN)})
            versions[method.id] = folder / f"{index:04d}_restored.flac"
            files[index] = dict(zip(run.pairs.index, run.pairs.files, strict=True)).get(index, "")
    examples, notes = [], []
    for index in sorted(paths):
        try:
            examples.append(_example(index, files[index], paths[index]))
        except audio_io.AudioFileError as error:
            notes.append(f"example {index} left out: {error}")
    return examples, notes


def _indices(folder: Path) -> dict[int, Path]:
    """Return the numbers of the examples that are complete in a folder."""
    found = {}
    for path in folder.glob("*_restored.flac"):
        match = re.fullmatch(r"(\d{4,})_restored\.flac", path.name)
        if match and all((folder / f"{match[1]}_{name}.flac").is_file() for name in (CORRUPTED, CLEAN)):
            found[int(match[1])] = folder
    return found


def _example(index: int, file: str, paths: Mapping[str, Path]) -> Example:
    signals = {name: audio_io.read(path) for name, path in paths.items()}
    rate_hz = audio_io.probe(paths[CLEAN]).sample_rate_hz
    clips = {name: _clip(path.read_bytes(), signals[name].shape[1], rate_hz) for name, path in paths.items()}
    signals[ANCHOR] = anchor(signals[CLEAN], rate_hz)
    clips[ANCHOR] = _clip(_flac(signals[ANCHOR], rate_hz), signals[ANCHOR].shape[1], rate_hz)
    lufs = {name: loudness_lufs(signal, rate_hz) for name, signal in signals.items()}
    peaks = {name: float(np.abs(signal).max(initial=0.0)) for name, signal in signals.items()}
    return Example(index, file, clips, matching_gains_db(lufs, peaks, CLEAN))


def _clip(content: bytes, length_samples: int, rate_hz: int) -> Clip:
    name = hashlib.sha256(content).hexdigest()[:12]
    return Clip(name, base64.b64encode(content).decode(), length_samples / rate_hz, rate_hz)


def anchor(clean: np.ndarray, rate_hz: int) -> np.ndarray:
    """Return the clean signal below 3.5 kHz, or below a quarter of the sample rate if that is lower, (C, T).

    Args:
        clean: (C, T).
        rate_hz: sample rate.
    """
    sections = butter(8, min(ANCHOR_HZ, rate_hz / 4), fs=rate_hz, output="sos")
    padding = min(clean.shape[1] - 1, 3 * (2 * len(sections) + 1))
    return np.clip(sosfiltfilt(sections, clean, axis=1, padlen=padding), -1, 1).astype(np.float32)


def _flac(audio: np.ndarray, rate_hz: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.flac"
        audio_io.write(path, audio, rate_hz)
        return path.read_bytes()


def total_characters(examples: Sequence[Example]) -> int:
    """Return the size of all different clips as text."""
    return sum(len(clip.content) for clip in all_clips(examples).values())


def all_clips(examples: Sequence[Example]) -> dict[str, Clip]:
    """Return every clip once, by name."""
    return {clip.name: clip for example in examples for clip in example.clips.values()}


def rounded_gain(gain_db: float) -> float:
    """Return a gain as the factor a browser multiplies by."""
    return round(math.pow(10, gain_db / 20), 5)
