"""Choose the settings of a lossy encoder by the file that was decoded, so that the result is of its size and quality."""

import functools
import io
import mmap
import os
import struct
from dataclasses import dataclass
from itertools import islice

import numpy as np
import soundfile

from datamodules.audio.containers import mpeg
from datamodules.audio.info import AudioInfo

MP3_KBPS: dict[tuple[int, ...], tuple[int, int]] = {
    (32000, 44100, 48000): (32, 320),
    (16000, 22050, 24000): (8, 160),
    (8000, 11025, 12000): (8, 64),
}
"""Lowest and highest bit rate of MPEG-1, MPEG-2 and MPEG-2.5 layer III."""
_OPUS_LIMITS_KBPS = (6.0, 256.0)  # of one channel, as libsndfile offers them
_LAME_AVERAGE = 2
_FEWEST_FRAME_BYTES = 220  # A frame of constant bit rate has room for LAME's header, without which its delay stays.
_LOOKED_AT_FRAMES = 500
_LAME_SCALES = {160: 0.95, 192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0}  # LAME 3.100, abr_switch_map; 0.95 below
_VORBIS_NOMINAL_PLACE = 20  # in the identification header
_SEARCH_STEPS = 10


@dataclass(frozen=True)
class EncoderSettings:
    """Soundfile's arguments of a lossy encoder.

    Attributes:
        level: compression level, 0 to 1; None is the encoder's own.
        mode: CONSTANT, AVERAGE or VARIABLE bit rate; None is the encoder's own.
        gain: by which samples are multiplied before they are encoded, because LAME turns them down.
    """

    level: float | None = None
    mode: str | None = None
    gain: float = 1.0


_FINEST = EncoderSettings(0.0)


def encoder_settings(source: AudioInfo, subtype: str) -> EncoderSettings:
    """Return the settings for a codec: those of a file of the same codec, else those that lose least.

    Args:
        source: the file that was decoded.
        subtype: libsndfile's name of the codec to be written.
    """
    if subtype not in {"MPEG_LAYER_III", "VORBIS", "OPUS"}:
        return EncoderSettings()
    if source.subtype != subtype:
        return _FINEST
    kbps = 8e-3 * os.path.getsize(source.path) * source.sample_rate_hz / source.frames
    if subtype == "OPUS":
        low, high = _OPUS_LIMITS_KBPS
        return EncoderSettings(_clipped((high - kbps / source.channels) / (high - low)))
    return _of_vorbis(source, kbps) if subtype == "VORBIS" else _of_mp3(source)


def _of_mp3(source: AudioInfo) -> EncoderSettings:
    with open(source.path, "rb") as stream:
        start, size = mpeg.id3_bytes(stream), stream.seek(0, os.SEEK_END)
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            frames = list(islice(mpeg.frames(content, start, size), _LOOKED_AT_FRAMES))
            xing = mpeg.xing_of(content, frames[0]) if frames else None
    audio = frames[1:] if xing else frames
    if not audio:
        return _FINEST
    mean = sum(frame.kbps for frame in audio) / len(audio)
    limits = next((limits for rates, limits in MP3_KBPS.items() if source.sample_rate_hz in rates), (8, 320))
    level = _clipped((limits[1] - mean) / (limits[1] - limits[0]))
    if len({frame.kbps for frame in audio}) == 1 and audio[0].size_bytes >= _FEWEST_FRAME_BYTES:
        return EncoderSettings(level, "CONSTANT", 1 / _lame_scale(mean))
    if xing and xing.method > _LAME_AVERAGE and xing.quality:
        return EncoderSettings(_clipped((100 - xing.quality) // 10 / 10), "VARIABLE")
    return EncoderSettings(level, "AVERAGE", 1 / _lame_scale(mean))


def _lame_scale(kbps: float) -> float:
    """Return the factor by which LAME's presets of constant and average bit rates turn the input down, lest the decoder clip."""
    return _LAME_SCALES[min(_LAME_SCALES, key=lambda preset: abs(preset - kbps))]


def _of_vorbis(source: AudioInfo, kbps: float) -> EncoderSettings:
    with open(source.path, "rb") as stream:
        head = stream.read(1 << 12)
    nominal = _vorbis_nominal_kbps(head)
    wanted, low, high = nominal if nominal > 0 else kbps, 0.0, 1.0
    for _ in range(_SEARCH_STEPS):
        middle = (low + high) / 2
        if _nominal_at(middle, source.sample_rate_hz, source.channels) > wanted:
            low = middle
        else:
            high = middle
    return EncoderSettings(
        min((low, high), key=lambda level: abs(_nominal_at(level, source.sample_rate_hz, source.channels) - wanted))
    )


@functools.lru_cache(maxsize=1024)
def _nominal_at(level: float, sample_rate_hz: int, channels: int) -> float:
    """Return the nominal bit rate in kbit/s that the encoder states at a compression level."""
    stream = io.BytesIO()
    soundfile.write(stream, np.zeros((1, channels)), sample_rate_hz, format="OGG", subtype="VORBIS", compression_level=level)
    return _vorbis_nominal_kbps(stream.getvalue())


def _vorbis_nominal_kbps(head: bytes) -> float:
    place = head.find(b"\x01vorbis")
    nominal = head[place + _VORBIS_NOMINAL_PLACE : place + _VORBIS_NOMINAL_PLACE + 4] if place >= 0 else b""
    return struct.unpack("<i", nominal)[0] / 1000 if len(nominal) == 4 else 0.0


def _clipped(level: float) -> float:
    return min(max(level, 0.0), 0.999)  # LAME refuses 1.
