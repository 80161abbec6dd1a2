"""Try a method on one file that is handed in, and make its result to be heard and seen beside the input; `demo.py` shows it."""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch

from datamodules.audio import io as audio_io
from datamodules.audio.bounds import Bounds
from datamodules.audio.notes import clipping_lines, narrow_lines, recoded_lines
from datamodules.audio.tree import RestoreJob, plan_jobs
from lightning_modules.commands.opening import MethodAtRate, open_method
from lightning_modules.commands.pace import Trials
from lightning_modules.commands.restore import notes_told, rate_of, restore_file
from lightning_modules.runs.figures import save_spectrograms
from lightning_modules.runs.plugins import import_plugins
from lightning_modules.runs.shipped import shipped_names
from machine.console import printable
from models.streaming.restoration import Settings
from sweeps.report.loudness import RATE_HZ, loudness_lufs, matching_gains_db

UNTRAINED = "wiener"
"""The method that is there without a model."""
INPUT, RESTORED = "input", "restored"
RATES_KEPT = 4
"""Of a method that is built for the sample rate of a file, those that the last files had."""
HEARD_CHANNELS = 2
"""The first of a file of more."""


@dataclass(frozen=True)
class Tried:
    """What a trial gives.

    Attributes:
        restored: the file that `restore.py` writes.
        heard: the input and the result at one loudness, by `INPUT` and `RESTORED`.
        picture: the spectrograms of both.
        lines: what is to be told, a sentence each.
    """

    restored: Path
    heard: Mapping[str, Path]
    picture: Path
    lines: Sequence[str]


def open_methods(given: Sequence[str], device: str, trusted: Sequence[str]) -> dict[str, MethodAtRate]:
    """Open the methods that are given, the shipped models and the Wiener filter, by their names in this order.

    Args:
        given: checkpoint files, run folders, or names of methods without training.
        device: auto, cpu, cuda or mps.
        trusted: names of packages whose classes may be created beside those of this project.

    Raises:
        ValueError: if one cannot be opened.
    """
    plugins = import_plugins(trusted, "--trust")
    names = dict.fromkeys([*given, *shipped_names(), UNTRAINED])
    return {name: lru_cache(RATES_KEPT)(open_method(name, device, plugins)) for name in names}


def try_method(
    method: MethodAtRate, file: Path, strength: float, bounds: Bounds, folder: Path, advance: Callable[[float], None]
) -> Tried:
    """Restore a file as `restore.py METHOD FILE --strength S` does, and write what is heard and seen of it.

    Args:
        method: gives the method for a sample rate.
        file: what was handed in.
        strength: 0 gives the input, 1 the method's result.
        bounds: of the file.
        folder: an empty one for all that is written; sentences leave it out.
        advance: told the shares of the restoration that are done, as they are.

    Raises:
        ValueError: one sentence, if the file or the strength is refused, or the method fails.
    """
    lines: list[str] = []
    try:
        with notes_told(lines.append):
            settings, job = Settings(strength), plan_job(file, folder, bounds)
            lines += [*narrow_lines([job], partial(rate_of, method)), *recoded_lines([job])]
            tell = lambda seconds: advance(seconds / job.seconds)  # noqa: E731
            lines += clipping_lines(job.output, restore_file(method, job, settings, Trials(job.seconds), tell))
            rate_hz = job.source.sample_rate_hz
            signals = {INPUT: audio_io.read(job.source.path), RESTORED: audio_io.read(job.output)}
            heard, gains_db = write_alike(signals, rate_hz, folder / "heard")
            picture = draw(signals, rate_hz, folder)
    except (ValueError, OSError) as error:
        raise ValueError(_without_folder(" ".join(str(error).split()), folder)) from error
    except Exception as error:  # Whatever a file brings about, the page is to tell it.
        told = f"{file.name}: failed: {type(error).__name__}: {error}"
        raise ValueError(_without_folder(" ".join(told.split()), folder)) from error
    notes = [*(_without_folder(line, folder) for line in lines), loudness_line(gains_db)]
    return Tried(job.output, heard, picture, notes)


def plan_job(file: Path, folder: Path, bounds: Bounds) -> RestoreJob:
    """Say how a copy of the file is restored; the file itself may go while that lasts.

    Raises:
        AudioFileError: if it cannot be, or is too large.
    """
    copy = folder / "given" / file.name
    copy.parent.mkdir()
    shutil.copyfile(file, copy)
    jobs, skipped = plan_jobs([copy], folder / "restored")
    if skipped:
        raise skipped[0]
    bounds.check(jobs[0].source)
    return jobs[0]


def write_alike(signals: Mapping[str, np.ndarray], sample_rate_hz: int, folder: Path) -> tuple[dict[str, Path], dict[str, float]]:
    """Write copies at the loudness of the first signal, in a form that browsers play: two channels, 48 kHz, 16 bits.

    Args:
        signals: (C, T) by name.
        sample_rate_hz: of all.
        folder: for the copies.

    Returns:
        The copies, and the gain of each in dB; see `matching_gains_db`.
    """
    heard = {name: audio_io.resample(signal[:HEARD_CHANNELS], sample_rate_hz, RATE_HZ) for name, signal in signals.items()}
    lufs = {name: loudness_lufs(signal, RATE_HZ) for name, signal in heard.items()}
    peaks = {name: float(np.abs(signal).max(initial=0.0)) for name, signal in heard.items()}
    gains_db = matching_gains_db(lufs, peaks, next(iter(heard)))
    copies = {name: folder / f"{name}.wav" for name in heard}
    for name, signal in heard.items():
        audio_io.write(copies[name], 10 ** (gains_db[name] / 20) * signal, RATE_HZ)
    return copies, gains_db


def draw(signals: Mapping[str, np.ndarray], sample_rate_hz: int, folder: Path) -> Path:
    """Draw the spectrograms of signals (C, T) of one rate into one picture, and return its path."""
    picture = folder / "spectrograms.png"
    save_spectrograms(picture, {name: torch.from_numpy(signal) for name, signal in signals.items()}, sample_rate_hz)
    return picture


def loudness_line(gains_db: Mapping[str, float]) -> str:
    """Say by how much the copies that are heard were turned up or down.

    >>> loudness_line({INPUT: -0.01, RESTORED: 1.234})
    'played at one loudness: input +0.0 dB, restored +1.2 dB'
    """
    levels = [f"{name} {round(gain_db, 1) + 0.0:+.1f} dB" for name, gain_db in gains_db.items()]
    return f"played at one loudness: {', '.join(levels)}"


def _without_folder(text: str, folder: Path) -> str:
    for place in (folder / "given", folder / "restored", folder):
        text = text.replace(f"{printable(place)}{os.sep}", "")
    return text
