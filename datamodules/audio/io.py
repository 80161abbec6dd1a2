"""Open, read, resample and write audio files; the only place where Clarion touches one.

Files are decoded with libsndfile (through soundfile) or PyAV and resampled with SoX's resampler (soxr). Every failure is an
`AudioFileError` whose message is one sentence beginning with the path, so that callers can report and go on.
"""

import os
from pathlib import Path

import numpy as np
import soxr

from datamodules.audio.checks import AudioFileError, check_finite, named_errors, refuse_short, slack_samples
from datamodules.audio.decoder import Decoder
from datamodules.audio.info import AudioInfo
from datamodules.audio.library_lines import library_lines_named
from datamodules.audio.opening import open_audio
from datamodules.audio.output import write
from datamodules.audio.seeking import decode_from, skip_to

__all__ = [
    "AudioFileError",
    "AudioInfo",
    "open_audio",
    "probe",
    "read",
    "read_open",
    "resample",
    "resampled_length",
    "write",
]


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read a file's header and check that its last sample can be reached.

    Raises:
        AudioFileError: if the file is missing, unreadable, empty, mislabelled, truncated, not audio or holds no samples.
    """
    with open_audio(path) as file, named_errors(path), library_lines_named(path):
        last = max(0, file.frames - 1 - slack_samples(file))
        skip_to(file, last)
        if len(decode_from(file, last, 1, "float32")) == 0:
            raise AudioFileError(path, f"is truncated: there is nothing at sample {last} of {file.frames}")
        held_by = getattr(file, "held_by", "")
        return AudioInfo(Path(path), file.samplerate, file.channels, file.frames, file.format, file.subtype, held_by)


def read(path: str | os.PathLike[str], start_samples: int = 0, count_samples: int | None = None) -> np.ndarray:
    """Decode a file, or a part of it, at its own sample rate.

    Args:
        path: the file.
        start_samples: first sample of the part.
        count_samples: length of the part; None reads to the end.

    Returns:
        float32 array (C, T) in [-1, 1] for integer files.

    Raises:
        AudioFileError: as `probe`, and if the part is not within the file, is cut short or holds NaN or infinity.
    """
    with open_audio(path) as file:
        return read_open(file, path, start_samples, file.frames - start_samples if count_samples is None else count_samples)


def read_open(file: Decoder, path: str | os.PathLike[str], start_samples: int, count_samples: int) -> np.ndarray:
    """Decode a part of a file that is open already; see `read`.

    Args:
        file: the open file. One that cannot seek must stand at its start.
        path: named in errors.
        start_samples: first sample of the part.
        count_samples: length of the part.
    """
    with named_errors(path), library_lines_named(path):
        if start_samples < 0 or count_samples < 0 or start_samples + count_samples > file.frames:
            raise AudioFileError(path, f"has {file.frames} samples, asked for {count_samples} from sample {start_samples}")
        skip_to(file, start_samples)
        decoded = decode_from(file, start_samples, count_samples, "float32")
        refuse_short(path, len(decoded) + slack_samples(file), count_samples, "samples")
    check_finite(path, decoded)
    padded = decoded if len(decoded) == count_samples else np.pad(decoded, ((0, count_samples - len(decoded)), (0, 0)))
    return np.ascontiguousarray(padded.T)  # (C, T)


def resample(audio: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Change the sample rate of a whole signal by SoX's band-limited, linear-phase interpolation.

    Args:
        audio: (C, T).
        from_hz: its sample rate.
        to_hz: the sample rate wanted.

    Returns:
        float32 array (C, ceil(T * to_hz / from_hz)).
    """
    length = resampled_length(audio.shape[1], from_hz, to_hz)
    if from_hz == to_hz or length == 0:
        return np.array(audio[:, :length], dtype=np.float32)
    frames = np.ascontiguousarray(audio.T, dtype=np.float32)
    changed = soxr.resample(frames, from_hz, to_hz)[:length].T
    return np.ascontiguousarray(np.pad(changed, ((0, 0), (0, length - changed.shape[1]))))


def resampled_length(length_samples: int, from_hz: int, to_hz: int) -> int:
    """Return ceil(length * to / from) in exact integer arithmetic."""
    return -(-length_samples * to_hz // from_hz)
