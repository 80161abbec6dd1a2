"""What can be heard: for each example the corrupted, the clean, every method's version and an anchor, at one loudness."""

import base64
import hashlib
import math
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.signal import butter, sosfiltfilt

from datamodules.audio import io as audio_io
from machine.console import printable
from sweeps.report.loudness import loudness_lufs, matching_gains_db
from sweeps.report.methods import CORRUPTED, Method

CLEAN, ANCHOR = "clean", "anchor"
MOST_HEARD = 60
"""Methods of a report that can be heard, the first of its table: nobody listens to more, and all would not fit into memory."""
MOST_EXAMPLES = 200
"""Of a report; what is heard is written into the page or beside it."""
LONGEST_SECONDS, MOST_SAMPLES, LARGEST_BYTES = 600, 1 << 26, 1 << 27
"""Of a version of an example; a file that says it is longer is not decoded."""
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
        methods: the rows of the leaderboard, in its order.

    Returns:
        The examples by index, their corrupted and clean versions those of the first run where both can be read; and a sentence
        for each version that cannot.
    """
    controls = {method.id for method in methods if method.kind == "classical" and not method.runs}
    found: dict[int, _Found] = {}
    files: dict[int, str] = {}
    tested = [method for method in methods if method.runs]
    for method in tested[:MOST_HEARD]:
        run = method.runs[0]
        for index, folder in sorted(_indices(run.folder / "examples").items())[:MOST_EXAMPLES]:
            versions = found.setdefault(index, _Found({}, []))
            versions.add(method.id, folder, index, "restored")
            for name in _controls(folder, index) & controls - versions.signals.keys():
                versions.add(name, folder, index, f"control_{name}")
            files[index] = dict(zip(run.pairs.index, run.pairs.files, strict=True)).get(index, "")
    heard = {index: versions for index, versions in sorted(found.items()) if versions.is_heard()}
    examples = [_example(index, files[index], versions.signals) for index, versions in heard.items()]
    problems = [f"example {index} left out: {printable(error)}" for index in sorted(found) for error in found[index].problems]
    if len(tested) > MOST_HEARD and examples:
        problems.append(f"of {len(tested)} methods the first {MOST_HEARD} of the table can be heard")
    return examples, problems


@dataclass(frozen=True)
class _Found:
    """The versions of an example that can be read, by name, and what is wrong with the others."""

    signals: dict[str, "_Sound"]
    problems: list[str]

    def add(self, method: str, folder: Path, index: int, version: str) -> None:
        """Read a method's version, and the pair it is about unless that of another method is there already."""
        try:
            pair = {} if CLEAN in self.signals else {name: _read(folder, index, name) for name in (CORRUPTED, CLEAN)}
            restored = _read(folder, index, version)
            clean = pair.get(CLEAN) or self.signals[CLEAN]
            if (restored.rate_hz, restored.audio.shape) != (clean.rate_hz, clean.audio.shape):
                raise audio_io.AudioFileError(restored.path, "is not as long as the clean signal, or of another form")
        except (audio_io.AudioFileError, OSError) as error:
            self.problems.append(str(error))
        else:
            self.signals.update(pair | {method: restored})

    def is_heard(self) -> bool:
        """Say whether there is a version to hear beside the pair."""
        return CLEAN in self.signals


@dataclass(frozen=True)
class _Sound:
    path: Path
    audio: np.ndarray  # (C, T)
    rate_hz: int


def _read(folder: Path, index: int, name: str) -> _Sound:
    path = folder / f"{index:04d}_{name}.flac"
    facts = audio_io.probe(path)
    seconds, samples, size = facts.frames / facts.sample_rate_hz, facts.frames * facts.channels, path.stat().st_size
    if seconds > LONGEST_SECONDS or samples > MOST_SAMPLES or size > LARGEST_BYTES:
        limits = f"{LONGEST_SECONDS} s, {MOST_SAMPLES} samples and {LARGEST_BYTES} bytes"
        raise audio_io.AudioFileError(
            path, f"has {seconds:.0f} s, {samples} samples and {size} bytes; at most {limits} are heard"
        )
    return _Sound(path, audio_io.read(path), facts.sample_rate_hz)


def _indices(folder: Path) -> dict[int, Path]:
    """Return the numbers of the examples of which a folder names every version, broken links among them."""
    found = {}
    for path in folder.glob("*_restored.flac"):
        match = re.fullmatch(r"(\d{4,})_restored\.flac", path.name)
        if match and all(os.path.lexists(folder / f"{match[1]}_{name}.flac") for name in (CORRUPTED, CLEAN)):
            found[int(match[1])] = folder
    return found


def _controls(folder: Path, index: int) -> set[str]:
    """Return the names of the methods without a run of their own that can be heard beside a run's."""
    start = f"{index:04d}_control_"
    return {path.stem.removeprefix(start) for path in folder.glob(f"{start}*.flac")}


def _example(index: int, file: str, versions: Mapping[str, _Sound]) -> Example:
    rate_hz = versions[CLEAN].rate_hz
    signals = {name: sound.audio for name, sound in versions.items()}
    clips = {name: _clip(sound.path.read_bytes(), sound.audio.shape[1], rate_hz) for name, sound in versions.items()}
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
    anchor: np.ndarray = np.clip(sosfiltfilt(sections, clean, axis=1, padlen=padding), -1, 1).astype(np.float32)
    return anchor


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
