"""Open, check, read, resample and write audio files; the only place where Clarion touches one.

Files are decoded with libsndfile (through soundfile) and resampled with SoX's resampler (soxr). Every failure is an
`AudioFileError` whose message is one sentence beginning with the path, so that callers can report and go on.
"""

import contextlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

_FORMATS_OF_SUFFIX: dict[str, tuple[str, ...]] = {  # The first is the one written.
    ".wav": ("WAV", "WAVEX", "RF64", "NIST"),  # NIST: TIMIT's .wav files.
    ".wave": ("WAV", "WAVEX", "RF64", "NIST"),
    ".rf64": ("RF64", "WAV", "WAVEX"),
    ".w64": ("W64",),
    ".flac": ("FLAC",),
    ".ogg": ("OGG", "FLAC"),
    ".oga": ("OGG", "FLAC"),
    ".opus": ("OGG",),
    ".mp3": ("MP3",),
    ".aif": ("AIFF",),
    ".aiff": ("AIFF",),
    ".aifc": ("AIFF",),
    ".au": ("AU",),
    ".snd": ("AU",),
    ".caf": ("CAF",),
    ".sph": ("NIST",),
    ".nist": ("NIST",),
    ".voc": ("VOC",),
    ".sf": ("IRCAM",),
}
AUDIO_SUFFIXES: frozenset[str] = frozenset(_FORMATS_OF_SUFFIX)
"""Lower-case file name endings that libsndfile can read."""

MPEG_SLACK_SAMPLES = 2 * 1152
"""How far the length in an MP3 header may exceed the decoded length: encoder and decoder delay, two frames."""

_DECLARED_SIZE = re.compile(r"^\s*(?:data|SSND|riff|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
_FRAME_MISMATCH = re.compile(r"frame count (\d+) does not match value from 'ds64' chunk of (\d+)")
_STREAMED_SIZE_BYTES = 0x7FFFF000  # Encoders writing to a pipe cannot know the size and leave one above this.
_OGG_TAIL_BYTES = 1 << 16  # Longer than the longest Ogg page (RFC 3533 section 6), so it holds the last header.
_OGG_END_OF_STREAM = 0x04
_UNCLIPPED_SUBTYPES = frozenset({"FLOAT", "DOUBLE", "VORBIS", "OPUS", "MPEG_LAYER_III"})
_SYSTEM_ERROR = 2  # libsndfile's SF_ERR_SYSTEM: reading and opening were checked before, so it is a failed write.
_UNKNOWN_FORMAT = (1, 3)  # SF_ERR_UNRECOGNISED_FORMAT, SF_ERR_MALFORMED_FILE


class AudioFileError(ValueError):
    """An audio file that cannot be used; the message is `<path>: <reason>`."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        """Join path and reason to one sentence."""
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


@dataclass(frozen=True)
class AudioInfo:
    """What the header of an audio file says."""

    path: Path
    sample_rate_hz: int
    channels: int
    frames: int
    format: str
    subtype: str


def probe(path: str | os.PathLike[str]) -> AudioInfo:
    """Read a file's header and check that its last sample can be reached.

    Raises:
        AudioFileError: if the file is missing, unreadable, empty, mislabelled, truncated, not audio or holds no samples.
    """
    with open_audio(path) as file, named_errors(path):
        last = max(0, file.frames - 1 - slack_samples(file))
        file.seek(last)
        refuse_short(path, last + len(file.read(1, dtype="float32")), last + 1)
        return AudioInfo(Path(path), file.samplerate, file.channels, file.frames, file.format, file.subtype)


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
    with open_audio(path) as file, named_errors(path):
        count = file.frames - start_samples if count_samples is None else count_samples
        if start_samples < 0 or count < 0 or start_samples + count > file.frames:
            raise AudioFileError(path, f"has {file.frames} samples, asked for {count} from sample {start_samples}")
        file.seek(start_samples)
        decoded = file.read(count, dtype="float32", always_2d=True)
        refuse_short(path, len(decoded) + slack_samples(file), count)
    check_finite(path, decoded)
    padded = np.pad(decoded, ((0, count - len(decoded)), (0, 0)))
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
    formats = _FORMATS_OF_SUFFIX.get(Path(path).suffix.lower())
    if formats is None:
        raise AudioFileError(path, f"cannot be written; its name must end in one of {', '.join(sorted(AUDIO_SUFFIXES))}")
    with replaced_when_done(path) as temporary, named_errors(path):
        file = soundfile.SoundFile(temporary, "w", sample_rate_hz, audio.shape[0], subtype, format=formats[0])
        with file:
            file.write(to_written_samples(audio.T.astype(np.float64), subtype))


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
        return samples if subtype in _UNCLIPPED_SUBTYPES else np.clip(samples, -1.0, 1.0)
    scale = 2.0 ** (int(bits[1]) - 1)
    rounded = np.clip(np.rint(samples * scale), -scale, scale - 1)
    return (rounded * (2.0**31 / scale)).astype(np.int32)


@contextlib.contextmanager
def open_audio(path: str | os.PathLike[str]) -> Iterator[soundfile.SoundFile]:
    """Open a file for reading after checking that it is complete audio of the kind its name says.

    Raises:
        AudioFileError: as `probe`, except for damage that only decoding can find.
    """
    with named_errors(path):
        with open(path, "rb") as stream:
            head = stream.read(1)
        if not head:
            raise AudioFileError(path, "is an empty file")
        file = soundfile.SoundFile(os.fspath(path))
    with file:
        _check_header(path, file)
        yield file


def check_finite(path: str | os.PathLike[str], samples: np.ndarray) -> None:
    """Refuse samples that no audio file should hold.

    Raises:
        AudioFileError: if a sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise AudioFileError(path, "holds NaN or infinite samples")


@contextlib.contextmanager
def replaced_when_done(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Hand out a temporary file beside `path` that takes its place on success and is removed on any failure.

    Raises:
        AudioFileError: if the folder cannot be made or written to.
    """
    target = Path(path)
    temporary = target.with_name(f".{uuid.uuid4().hex}.partial")  # Not from the name: that may be as long as allowed.
    try:
        with named_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.touch()
        yield temporary
        with named_errors(target):
            os.replace(temporary, target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def named_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system and libsndfile raise about a file into an `AudioFileError` with its path.

    Raises:
        AudioFileError: in place of `OSError` and of soundfile's errors, those about impossible formats included.
    """
    try:
        yield
    except AudioFileError:
        raise
    except OSError as error:
        raise AudioFileError(path, (error.strerror or str(error)).lower()) from error
    except soundfile.LibsndfileError as error:
        raise AudioFileError(path, _libsndfile_reason(path, error)) from error
    except (TypeError, ValueError) as error:
        raise AudioFileError(path, f"is not possible as an audio file: {error}") from error


def _libsndfile_reason(path: str | os.PathLike[str], error: soundfile.LibsndfileError) -> str:
    if error.code == _SYSTEM_ERROR:
        return f"could not be written; {shutil.disk_usage(Path(path).parent).free / 1e6:.0f} MB are free in its folder"
    if error.code in _UNKNOWN_FORMAT:
        return "is not an audio file that libsndfile can read"
    return f"is damaged: {error.error_string.rstrip('. ')}"


def _check_header(path: str | os.PathLike[str], file: soundfile.SoundFile) -> None:
    suffix = Path(path).suffix.lower()
    if file.format not in _FORMATS_OF_SUFFIX.get(suffix, (file.format,)):
        raise AudioFileError(path, f"holds {file.format} data although its name ends in {suffix}; rename it")
    for declared, present in _DECLARED_SIZE.findall(file.extra_info):
        if int(declared) < _STREAMED_SIZE_BYTES:
            refuse_short(path, int(present), int(declared))
    for present, declared in _FRAME_MISMATCH.findall(file.extra_info):
        refuse_short(path, int(present), int(declared))
    if file.format == "OGG" and not _ends_properly(path):
        raise AudioFileError(path, "is truncated: its last Ogg page does not end the stream")
    if file.frames == 0:
        raise AudioFileError(path, "holds no samples")


def slack_samples(file: soundfile.SoundFile) -> int:
    """Return how many samples the file may hold less than its header declares."""
    return MPEG_SLACK_SAMPLES if file.format == "MP3" else 0


def refuse_short(path: str | os.PathLike[str], present: int, declared: int) -> None:
    """Refuse a file that holds less than its header declares.

    Raises:
        AudioFileError: if `present` is smaller than `declared`.
    """
    if present < declared:
        raise AudioFileError(path, f"is truncated: {present} of {declared} expected samples or bytes are there")


def _ends_properly(path: str | os.PathLike[str]) -> bool:
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _OGG_TAIL_BYTES))
        tail = stream.read()
    start = tail.rfind(b"OggS")
    return start >= 0 and len(tail) > start + 5 and bool(tail[start + 5] & _OGG_END_OF_STREAM)
