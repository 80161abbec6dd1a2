"""Write audio files: clipped, rounded, tagged, and complete or not at all."""

import contextlib
import functools
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from datamodules.audio.checks import AudioFileError, native
from datamodules.audio.partial import OutputError, full_disk_reason, output_errors, replaced_when_done
from datamodules.audio.suffixes import AUDIO_SUFFIXES, FORMATS_OF_SUFFIX

__all__ = ["OutputError", "Target", "check_folder", "check_form", "has_encoder", "open_output", "replaced_when_done", "write"]

LOSSY_SUBTYPES = frozenset({"VORBIS", "OPUS", "MPEG_LAYER_III"})
UNCLIPPED_SUBTYPES = LOSSY_SUBTYPES | {"FLOAT", "DOUBLE"}
VORBIS_HIGHEST_HZ = 200_000
"""Encoding at a higher rate ends the whole process in the libvorbis of soundfile 0.14 (libsndfile 1.2.2)."""
_LIMITS = {
    "MPEG_LAYER_III": "it takes 1 or 2 channels at 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100 or 48000 Hz",
    "OPUS": "it takes 8000, 12000, 16000, 24000 or 48000 Hz",
    "VORBIS": f"it takes at most {VORBIS_HIGHEST_HZ} Hz",
}
_WAY_OUT = "convert it to another format first or add --format flac or --format wav"
_TRIAL_BYTES = 1 << 16  # A full disk may still take a file without content.
_BLOCK_SAMPLES = {("PAF", "PCM_24"): 10}  # libsndfile fills up the last block with what was in the one before.


@dataclass(frozen=True)
class Target:
    """How an output file is to be written: libsndfile's names of format, subtype and byte order, and the text tags.

    `finish` is called with the complete file before it takes its name; `gain` undoes what an encoder does to the level.
    """

    format: str
    subtype: str
    sample_rate_hz: int
    channels: int
    endian: str = "FILE"
    tags: Mapping[str, str] = field(default_factory=dict)
    finish: Callable[[Path], None] = lambda path: None
    compression_level: float | None = None
    bitrate_mode: str | None = None
    gain: float = 1.0

    def soundfile_arguments(self) -> dict[str, Any]:
        """Return the arguments of `soundfile.SoundFile`; lossy codecs lose as little as they can, if nothing else is said."""
        level = 0.0 if self.compression_level is None and self.subtype in LOSSY_SUBTYPES else self.compression_level
        return {
            "samplerate": self.sample_rate_hz,
            "channels": self.channels,
            "format": self.format,
            "subtype": self.subtype,
            "endian": self.endian,
            "compression_level": level,
            "bitrate_mode": self.bitrate_mode,
        }


def check_folder(folder: Path) -> None:
    """Make a folder and try it out: before any work is done for it, and when a file could not be written.

    Raises:
        OutputError: if no file can be made there.
    """
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())


def check_form(path: str | os.PathLike[str], target: Target) -> None:
    """Refuse a kind of file that libsndfile may read but cannot write, before any work is done for it.

    Args:
        path: named in the error.
        target: how a file would be written.

    Raises:
        AudioFileError: if there is no encoder for it.
    """
    if not has_encoder(target):
        limit = f" ({_LIMITS[target.subtype]})" if target.subtype in _LIMITS else ""
        raise AudioFileError(path, f"is read, but {_form(target)} cannot be written{limit}; {_WAY_OUT}")


def has_encoder(target: Target) -> bool:
    """Say whether libsndfile can write a kind of file."""
    is_crash = target.subtype == "VORBIS" and target.sample_rate_hz > VORBIS_HIGHEST_HZ
    return not is_crash and _has_encoder(tuple(target.soundfile_arguments().items()))


@functools.cache
def _has_encoder(arguments: tuple[tuple[str, Any], ...]) -> bool:
    try:
        with soundfile.SoundFile(io.BytesIO(), "w", **dict(arguments)) as file:
            file.write(np.zeros((1, file.channels)))
    except (soundfile.LibsndfileError, TypeError, ValueError):
        return False
    return True


def write(path: str | os.PathLike[str], audio: np.ndarray, sample_rate_hz: int, subtype: str = "PCM_16") -> None:
    """Write a whole signal in the format its file name asks for; parent folders are made.

    Args:
        path: the file, written beside itself first and then renamed, so that no half-written file is ever seen.
        audio: (C, T), clipped to [-1, 1] by integer subtypes.
        sample_rate_hz: its sample rate.
        subtype: libsndfile's name of the sample format, such as PCM_16, PCM_24 or FLOAT.

    Raises:
        AudioFileError: if the format cannot hold the signal or the file cannot be written.
    """
    formats = FORMATS_OF_SUFFIX.get(Path(path).suffix.lower())
    if formats is None:
        raise AudioFileError(path, f"cannot be written; its name must end in one of {', '.join(sorted(AUDIO_SUFFIXES))}")
    target = Target(formats[0], subtype, sample_rate_hz, audio.shape[0])
    with open_output(path, target) as put:
        put(audio.astype(np.float64))


@contextlib.contextmanager
def open_output(path: str | os.PathLike[str], target: Target) -> Iterator[Callable[[np.ndarray], None]]:
    """Open a file for writing in blocks; it appears under its name once it is complete, and not at all on a failure.

    A codec that works in blocks (ADPCM, GSM 6.10, 24-bit PAF) may fill up the last one with silence.

    Yields:
        a function that appends a float64 block (C, n).

    Raises:
        OutputError: if the folder or the disk does not take the file.
        AudioFileError: if the format cannot hold the signal.
    """
    written = 0
    with replaced_when_done(path) as temporary:
        file = _create(path, temporary, target)
        with output_errors(path), file:
            for name, text in target.tags.items():
                setattr(file, name, text)

            def put(block: np.ndarray) -> None:
                nonlocal written
                written += block.shape[1]
                with output_errors(path):
                    file.write(to_written_samples(np.ascontiguousarray(block.T) * target.gain, target.subtype))

            yield put
            missing = -written % _BLOCK_SAMPLES.get((target.format, target.subtype), 1)
            if missing:
                file.write(np.zeros((missing, target.channels)))
        if (present := frames_of(temporary)) < written:  # Encoders report no failure of their last write.
            raise OutputError(path, f"{full_disk_reason(path)}: {present} of {written} samples are there")
        with output_errors(path):
            target.finish(temporary)


def to_written_samples(samples: np.ndarray, subtype: str) -> np.ndarray:
    """Round and clip samples to what an integer subtype can hold; leave other subtypes alone.

    libsndfile truncates towards minus infinity when it turns floats into integers and, in 32 bits, keeps a sample
    that came from a file. Rounding here and handing over left-aligned 32-bit integers does both correctly.

    Args:
        samples: float64, full scale 1.
        subtype: libsndfile's name of the sample format.

    Returns:
        int32 array for PCM and ALAC subtypes, else the float64 input, clipped only where the codec would wrap.
    """
    bits = re.fullmatch(r"(?:PCM|ALAC)_[SU]?(\d+)", subtype)
    if bits is None:
        return samples if subtype in UNCLIPPED_SUBTYPES else np.clip(samples, -1.0, 1.0)
    scale = 2.0 ** (int(bits[1]) - 1)
    rounded = np.clip(np.rint(samples * scale), -scale, scale - 1)
    return (rounded * (2.0**31 / scale)).astype(np.int32)


def _form(target: Target) -> str:
    return f"{target.format} of subtype {target.subtype} with {target.channels} channels at {target.sample_rate_hz} Hz"


def _create(path: str | os.PathLike[str], temporary: Path, target: Target) -> soundfile.SoundFile:
    try:
        return soundfile.SoundFile(native(temporary), "w", **target.soundfile_arguments())
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        raise AudioFileError(path, f"cannot be written as {_form(target)}") from error


def frames_of(path: Path) -> int:
    """Return the length of a file that was written, 0 where it cannot be read."""
    try:
        return int(soundfile.info(native(path)).frames)
    except soundfile.LibsndfileError:
        return 0
