"""Decode what libsndfile does not know (AAC, ALAC, WMA, WavPack, Monkey's Audio, Matroska, ...) with PyAV, an extra."""

import contextlib
import importlib
import math
import os
import re
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

from datamodules.audio.checks import CODEC_SLACK_SAMPLES, AudioFileError
from datamodules.audio.containers.view import FileView
from datamodules.audio.library_lines import tell_once
from datamodules.audio.suffixes import DEMUXER_OF_SUFFIX

KNOWN_TAGS = ("title", "artist", "album", "comment", "copyright", "genre", "date")
"""Names of tags that libsndfile writes, beside the number of the track."""
LOSSLESS_CODECS = frozenset({"alac", "ape", "flac", "tta", "wavpack", "wmalossless", "truehd", "mlp"})

_INTEGER_BITS = {"u8": 8, "s16": 16, "s32": 32, "s64": 64}
_ALAC_DEPTH_BYTE = 17  # of the decoder's setup: an atom's header of 12 bytes, then Apple's ALACSpecificConfig
_GAPLESS_TAG = "iTunSMPB"  # Apple's: of its hexadecimal numbers the fourth is the number of samples
_ROUNDED_SHARE = 0.01  # Matroska rounds the duration of each packet to milliseconds; a gap between packets is longer.


class CodecFile:
    """A file that PyAV decodes, in order; see `joined.Decoder` for the attributes.

    `frames` is what the container tells, less the priming that it declares; where it tells nothing, the sum of its packets.

    Raises:
        AudioFileError: if it holds no audio that can be decoded.
    """

    endian, extra_info = "FILE", ""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._file = FileView(path)  # A demuxer that seeks before the start gets there, not an exception on the error output.
        try:
            self._start()
        except BaseException:
            self._file.close()
            raise

    def _start(self) -> None:
        av = _av()
        suffix = os.path.splitext(os.fspath(self._path))[1].lower()
        with self._errors():
            self._container = av.open(self._file, format=DEMUXER_OF_SUFFIX[suffix])
            if not self._container.streams.audio:
                raise AudioFileError(self._path, "holds no audio")
            tracks = self._container.streams.audio
            if len(tracks) > 1:
                tell_once(self._path, f"holds {len(tracks)} audio tracks; the first is taken")
            self._stream = tracks[0]
            self._stream.thread_type = "SLICE"
            told = self._told_seconds()
        self._decoded = self._arrays()
        self._rest = next(self._decoded, None)
        if self._rest is None:
            raise AudioFileError(self._path, "holds no samples that can be decoded")
        self.format = suffix[1:].upper()
        self.subtype = self._stream.codec_context.name
        told_samples = max(1, round(told * self.samplerate))
        exact = self._told_exactly(told_samples)
        self.frames = exact or told_samples
        self._left = exact or math.inf

    def _told_exactly(self, told_samples: int) -> int:
        """Return the number of samples without the encoder's padding; 0 where none is told, or one that leaves out more."""
        numbers = {**self._container.metadata, **self._stream.metadata}.get(_GAPLESS_TAG, "").split()
        try:
            exact = int(numbers[3], 16)
        except (IndexError, ValueError):
            return 0
        return exact if exact > 0 and abs(exact - told_samples) <= CODEC_SLACK_SAMPLES else 0

    def _told_seconds(self) -> float:
        if self._stream.duration and self._container.format.name not in {"aac", "ac3", "eac3", "amr"}:
            return float(self._stream.duration * self._stream.time_base)
        seconds = float(self._packet_ticks() * self._stream.time_base)
        self._container.seek(0)
        return seconds or (self._container.duration or 0) / 1e6

    def _packet_ticks(self) -> int:
        """Return how long all packets last: their sum, or where it says the same but for rounding, the end of the last one."""
        total = end = 0
        start: int | None = None
        for packet in self._container.demux(self._stream):
            duration = packet.duration or 0
            total += duration
            if packet.pts is not None:
                start = packet.pts if start is None else start
                end = max(end, packet.pts + duration)
        span = end - (start or 0)
        return span if abs(span - total) <= _ROUNDED_SHARE * total else total

    def _arrays(self) -> Iterator[np.ndarray]:
        """Decode frame by frame to float64 (n, C)."""
        self.samplerate = self.channels = 0
        with self._errors():
            for frame in self._container.decode(self._stream):
                if not self.samplerate:
                    self.samplerate, self.channels = frame.sample_rate, frame.layout.nb_channels
                    self.held_by = _holding(self._stream.codec_context, frame.format.packed.name)
                if (frame.sample_rate, frame.layout.nb_channels) != (self.samplerate, self.channels):
                    raise AudioFileError(self._path, "changes its sample rate or number of channels on the way")
                yield _samples(frame)

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (_av().error.FFmpegError, ValueError) as error:
            if isinstance(error, AudioFileError):
                raise
            reason = (getattr(error, "strerror", None) or str(error)).lower()
            raise AudioFileError(self._path, f"is damaged or of another kind than its name says: {reason}") from error

    def seekable(self) -> bool:
        """Say that samples come in order only."""
        return False

    def seek(self, frames: int) -> int:
        """Refuse."""
        raise AudioFileError(self._path, f"cannot be entered at sample {frames}")

    def read(self, frames: int, dtype: str = "float64", *, always_2d: bool = True) -> np.ndarray:
        """Decode (n, C) from the current sample on."""
        blocks = [np.zeros((0, self.channels))]
        missing = int(min(frames, self._left))
        while missing > 0 and self._rest is not None:
            blocks.append(self._rest[:missing])
            missing, self._left = missing - len(blocks[-1]), self._left - len(blocks[-1])
            rest = self._rest[len(blocks[-1]) :]
            self._rest = rest if len(rest) else next(self._decoded, None)
        return np.concatenate(blocks).astype(dtype)

    def copy_metadata(self) -> dict[str, str]:
        """Return the text tags that libsndfile knows too."""
        found = {**self._container.metadata, **self._stream.metadata}
        lower = {name.lower(): text for name, text in found.items()}
        tags = {name: lower[name] for name in KNOWN_TAGS if lower.get(name)}
        return tags | ({"tracknumber": lower["track"]} if lower.get("track") else {})

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _av() -> Any:
    return importlib.import_module("av")  # An extra that need not be installed.


def _holding(context: Any, sample_format: str) -> str:
    """Return the sample format that holds all of a lossless codec's bits, and 24 bits of what a lossy one decodes."""
    if context.name not in LOSSLESS_CODECS and not context.name.startswith("pcm_"):
        return "PCM_24"
    if sample_format not in _INTEGER_BITS:
        return "FLOAT"
    coded = getattr(context, "bits_per_coded_sample", 0)
    if context.name == "alac" and len(context.extradata or b"") > _ALAC_DEPTH_BYTE:
        coded = context.extradata[_ALAC_DEPTH_BYTE]
    elif named := re.match(r"pcm_[su](\d+)", context.name):
        coded = int(named[1])
    bits = min(_INTEGER_BITS[sample_format], coded or math.inf)
    return next(name for most, name in ((16, "PCM_16"), (24, "PCM_24"), (math.inf, "PCM_32")) if bits <= most)


def _samples(frame: Any) -> np.ndarray:
    held, channels = frame.format.packed.name, frame.layout.nb_channels
    array: np.ndarray = frame.to_ndarray()
    samples: np.ndarray = (array.T if frame.format.is_planar else array.reshape(-1, channels)).astype(np.float64)
    if held == "u8":
        return (samples - 128) / 128
    return samples / 2.0 ** (_INTEGER_BITS[held] - 1) if held in _INTEGER_BITS else samples
