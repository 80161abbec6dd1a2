"""Tell whether a file is complete audio of the kind its name says, and name what is wrong with it if not."""

import contextlib
import os
import re
from collections.abc import Container, Iterator
from pathlib import Path

import numpy as np
import soundfile

FORMATS_OF_SUFFIX: dict[str, tuple[str, ...]] = {  # The first is the one written.
    ".wav": ("WAV", "WAVEX", "RF64", "NIST"),  # NIST: TIMIT's .wav files.
    ".wave": ("WAV", "WAVEX", "RF64", "NIST"),
    ".bwf": ("WAV", "WAVEX", "RF64"),
    ".rf64": ("RF64", "WAV", "WAVEX"),
    ".w64": ("W64",),
    ".flac": ("FLAC",),
    ".ogg": ("OGG", "FLAC"),
    ".oga": ("OGG", "FLAC"),
    ".opus": ("OGG",),
    ".mp3": ("MP3",),
    ".mp2": ("MP3",),  # libsndfile's name for all three layers of MPEG.
    ".mp1": ("MP3",),
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
    ".avr": ("AVR",),
    ".htk": ("HTK",),
    ".iff": ("SVX", "AIFF"),
    ".svx": ("SVX",),
    ".8svx": ("SVX",),
    ".16sv": ("SVX",),
    ".paf": ("PAF",),
    ".fap": ("PAF",),
    ".pvf": ("PVF",),
    ".wve": ("WVE",),
    ".mat": ("MAT5", "MAT4"),
    ".mpc": ("MPC2K",),  # Akai's; Musepack's files of this name are refused as no audio.
}
AUDIO_SUFFIXES: frozenset[str] = frozenset(FORMATS_OF_SUFFIX)
"""Lower-case name endings of what folders are searched for: all formats of libsndfile 1.2 but RAW, which has no header, SD2,
whose header lies in a second file, and SDS and XI, in which libsndfile cannot seek."""
_UNREAD = (
    "3g2 3ga 3gp aa aa3 aac aax ac3 adts amr ape asf awb dff dsf dts eac3 ec3 gsm m4a m4b m4p m4r mka mlp mp4 mpp oma ofr ra rm "
    "sd2 sds shn spx tak thd tta vqf weba webm wma wv xi"
)
UNREAD_SUFFIXES: frozenset[str] = frozenset(f".{name}" for name in _UNREAD.split())
"""Lower-case name endings of files that hold audio, but none that is read here."""
_USUAL_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")

MPEG_SLACK_SAMPLES = 2 * 1152
"""How far the length in an MP3 header may exceed the decoded length: encoder and decoder delay, two frames."""


_DECLARED_SIZE = re.compile(r"^\s*(?:data|SSND|riff|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
_FRAME_MISMATCH = re.compile(r"frame count (\d+) does not match value from 'ds64' chunk of (\d+)")
_STREAMED_SIZE_BYTES = 0x7FFFF000  # Encoders writing to a pipe cannot know the size and leave one above this.
_OGG_TAIL_BYTES = 1 << 16  # Longer than the longest Ogg page (RFC 3533 section 6), so it holds the last header.
_OGG_END_OF_STREAM = 0x04
_OGG_HEADER_BYTES = 27  # Followed by a table of segments, whose number is the last byte and whose sum is the length of the body.


class AudioFileError(ValueError):
    """An audio file that cannot be used; the message is `<path>: <reason>`."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        """Join path and reason to one sentence."""
        super().__init__(f"{os.fspath(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


class UnreadFormatError(AudioFileError):
    """A file whose name says that it holds audio of a kind that is not read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Say what is read instead."""
        *others, last = _USUAL_SUFFIXES
        super().__init__(
            path, f"{Path(path).suffix.lower()} files are not read; convert it to {', '.join(others)} or {last} first"
        )


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
        opening_failed = bool(error.prefix)
        damaged = AudioFileError(path, "is damaged or truncated: it cannot be decoded to its end")
        raise (_not_opened(path) if opening_failed else damaged) from error
    except (TypeError, ValueError) as error:
        raise AudioFileError(path, f"is not possible as an audio file: {error}") from error


def _not_opened(path: str | os.PathLike[str]) -> AudioFileError:
    if has_suffix(path, UNREAD_SUFFIXES):
        return UnreadFormatError(path)
    return AudioFileError(path, "is not an audio file that libsndfile can read")


def has_suffix(path: str | os.PathLike[str], suffixes: Container[str]) -> bool:
    """Say whether a name ends in one of some lower-case endings."""
    return Path(path).suffix.lower() in suffixes


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what cannot simply be opened: opening a named pipe waits for someone to write into it.

    Raises:
        AudioFileError: if the path leads to a pipe, a socket or a device.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise AudioFileError(path, "is not a regular file (a pipe, socket or device)")


def check_header(path: str | os.PathLike[str], file: soundfile.SoundFile) -> None:
    """Compare what the header declares with the name and the size of the file.

    Raises:
        AudioFileError: if the file is mislabelled, visibly truncated or holds no samples.
    """
    suffix = Path(path).suffix.lower()
    if file.format not in FORMATS_OF_SUFFIX.get(suffix, (file.format,)):
        raise AudioFileError(path, f"holds {file.format} data although its name ends in {suffix}; rename it")
    for declared, present in _DECLARED_SIZE.findall(file.extra_info):
        if int(declared) < _STREAMED_SIZE_BYTES:
            refuse_short(path, int(present), int(declared), "bytes")
    for present, declared in _FRAME_MISMATCH.findall(file.extra_info):
        refuse_short(path, int(present), int(declared), "samples")
    if file.format == "OGG" and not _ends_properly(path):
        raise AudioFileError(path, "is truncated: its last Ogg page is cut off or does not end the stream")
    if file.frames == 0:
        raise AudioFileError(path, "holds no samples")


def check_finite(path: str | os.PathLike[str], samples: np.ndarray) -> None:
    """Refuse samples that no audio file should hold.

    Raises:
        AudioFileError: if a sample is NaN or infinite.
    """
    if not np.isfinite(samples).all():
        raise AudioFileError(path, "holds NaN or infinite samples")


def refuse_short(path: str | os.PathLike[str], present: int, declared: int, unit: str) -> None:
    """Refuse a file that holds less than its header declares.

    Raises:
        AudioFileError: if `present` is smaller than `declared`.
    """
    if present < declared:
        raise AudioFileError(path, f"is truncated: {present} of {declared} {unit} are there")


def slack_samples(file: soundfile.SoundFile) -> int:
    """Return how many samples the file may hold less than its header declares."""
    return MPEG_SLACK_SAMPLES if file.format == "MP3" else 0


def _ends_properly(path: str | os.PathLike[str]) -> bool:
    with open(path, "rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - _OGG_TAIL_BYTES))
        tail = stream.read()
    page = tail[max(0, tail.rfind(b"OggS")) :]
    if len(page) < _OGG_HEADER_BYTES:
        return False
    segments = page[_OGG_HEADER_BYTES : _OGG_HEADER_BYTES + page[_OGG_HEADER_BYTES - 1]]
    is_whole = len(page) >= _OGG_HEADER_BYTES + page[_OGG_HEADER_BYTES - 1] + sum(segments)
    return page.startswith(b"OggS") and is_whole and bool(page[5] & _OGG_END_OF_STREAM)


def native(path: str | os.PathLike[str]) -> str | bytes:
    """Return the path as libsndfile wants it: names on POSIX systems are bytes and need not be valid UTF-8."""
    return os.fsencode(path) if os.name == "posix" else os.fspath(path)
