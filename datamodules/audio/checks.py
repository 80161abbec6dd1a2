"""Tell whether a file is complete audio of the kind its name says, and name what is wrong with it if not."""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from datamodules.audio.decoder import Decoder
from datamodules.audio.suffixes import CODEC_SUFFIXES, FORMATS_OF_SUFFIX, has_suffix, unread_suffixes
from machine.console import printable

_USUAL_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".aiff")

MPEG_SLACK_SAMPLES = 2 * 1152
"""How far the length in an MP3 header may exceed the decoded length: encoder and decoder delay, two frames."""
CODEC_SLACK_SAMPLES = 2 * 2048
"""The same for what PyAV decodes, beside a tenth of a second: containers tell times, of which encoder delay may be a part."""
RATES_HZ = (1000, 768_000)
"""Lowest and highest sample rate that is read."""
MOST_CHANNELS = 128
"""Highest number of channels that is read."""


_DECLARED_SIZE = re.compile(r"^\s*(?:data|SSND|riff|Data Size)\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)
_FRAME_MISMATCH = re.compile(r"frame count (\d+) does not match value from 'ds64' chunk of (\d+)")
_SYSTEM_ERROR = 2  # SF_ERR_SYSTEM of sndfile.h
_STREAMED_SIZE_BYTES = 0x7FFFF000  # Encoders writing to a pipe cannot know the size and leave one above this.
_OGG_TAIL_BYTES = 1 << 16  # Longer than the longest Ogg page (RFC 3533 section 6), so it holds the last header.
_OGG_END_OF_STREAM = 0x04
_OGG_HEADER_BYTES = 27  # Followed by a table of segments, whose number is the last byte and whose sum is the length of the body.


class AudioFileError(ValueError):
    """An audio file that cannot be used; the message is `<path>: <reason>`."""

    def __init__(self, path: str | os.PathLike[str], reason: str) -> None:
        """Join path and reason to one sentence."""
        super().__init__(f"{printable(path)}: {reason}")
        self.path = Path(path)
        self.reason = reason


class UnreadFormatError(AudioFileError):
    """A file whose name says that it holds audio of a kind that is not read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Say what is read instead."""
        suffix = Path(path).suffix.lower()
        *others, last = _USUAL_SUFFIXES
        remedy = "pip install '.[codecs]' to read them, or " if suffix in CODEC_SUFFIXES else ""
        super().__init__(path, f"{suffix} files are not read; {remedy}convert it to {', '.join(others)} or {last} first")


@contextlib.contextmanager
def named_errors(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn what the system and libsndfile raise about a file into an `AudioFileError` with its path.

    Raises:
        AudioFileError: in place of `OSError` and of soundfile's errors, those about impossible formats included.
        OSError: if the system lets no further file be opened; see `is_scarcity`.
    """
    try:
        yield
    except AudioFileError:
        raise
    except OSError as error:
        if is_scarcity(error):
            raise
        raise AudioFileError(path, (error.strerror or str(error)).lower()) from error
    except soundfile.LibsndfileError as error:
        opening_failed = bool(error.prefix)
        if opening_failed and error.code == _SYSTEM_ERROR:
            _refuse_scarcity(path)
        damaged = AudioFileError(path, "is damaged or truncated: it cannot be decoded to its end")
        raise (_not_opened(path) if opening_failed else damaged) from error
    except (TypeError, ValueError) as error:
        raise AudioFileError(path, f"is not possible as an audio file: {error}") from error


def is_scarcity(error: OSError) -> bool:
    """Tell whether this process, or all of them together, have as many files open as the system allows: no fault of a file."""
    return error.errno in (errno.EMFILE, errno.ENFILE)


def _refuse_scarcity(path: str | os.PathLike[str]) -> None:
    """Raise what libsndfile does not tell: that no further file can be opened."""
    try:
        with open(path, "rb"):
            pass
    except OSError as error:
        if is_scarcity(error):
            raise


def _not_opened(path: str | os.PathLike[str]) -> AudioFileError:
    if has_suffix(path, unread_suffixes()):
        return UnreadFormatError(path)
    return AudioFileError(path, "is not an audio file that libsndfile can read")


def check_regular(path: str | os.PathLike[str]) -> None:
    """Refuse what cannot simply be opened: opening a named pipe waits for someone to write into it.

    Raises:
        AudioFileError: if the path leads to a pipe, a socket or a device.
    """
    if os.path.exists(path) and not (os.path.isfile(path) or os.path.isdir(path)):
        raise AudioFileError(path, "is not a regular file (a pipe, socket or device)")


def check_header(path: str | os.PathLike[str], file: Decoder) -> None:
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


def check_range(path: str | os.PathLike[str], file: Decoder) -> None:
    """Refuse a sample rate or a number of channels that no audio has: a header that lies would cost any amount of memory.

    Raises:
        AudioFileError: naming the value and what is allowed.
    """
    lowest, highest = RATES_HZ
    if not lowest <= file.samplerate <= highest:
        raise AudioFileError(path, f"has a sample rate of {file.samplerate} Hz; {lowest} to {highest} Hz are read")
    if not 1 <= file.channels <= MOST_CHANNELS:
        raise AudioFileError(path, f"has {file.channels} channels; at most {MOST_CHANNELS} are read")


def slack_samples(file: Decoder) -> int:
    """Return how many samples the file may hold less than its header declares."""
    if file.format == "MP3":
        return MPEG_SLACK_SAMPLES
    return 0 if file.format in soundfile.available_formats() else file.samplerate // 10 + CODEC_SLACK_SAMPLES


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
