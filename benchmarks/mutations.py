"""Damage files in every way that a disk, a network or a stranger may: seeded, so that each can be made again."""

import io
import struct
from collections.abc import Callable

import numpy as np
import soundfile

CONTAINERS: dict[str, dict[str, object]] = {
    "wav": {"format": "WAV", "subtype": "PCM_16"},
    "float.wav": {"format": "WAV", "subtype": "FLOAT"},
    "adpcm.wav": {"format": "WAV", "subtype": "MS_ADPCM"},
    "rf64": {"format": "RF64", "subtype": "PCM_24"},
    "w64": {"format": "W64", "subtype": "PCM_16"},
    "aiff": {"format": "AIFF", "subtype": "PCM_16"},
    "caf": {"format": "CAF", "subtype": "PCM_16"},
    "au": {"format": "AU", "subtype": "PCM_16"},
    "flac": {"format": "FLAC", "subtype": "PCM_16"},
    "ogg": {"format": "OGG", "subtype": "VORBIS"},
    "opus": {"format": "OGG", "subtype": "OPUS"},
    "mp3": {"format": "MP3", "subtype": "MPEG_LAYER_III"},
}
"""Name endings, and soundfile's arguments of a file of this kind."""
_HEADER_BYTES = 200
_EXTREME = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def whole_file(container: str, rate_hz: int = 16000, channels: int = 2, seconds: float = 1.0) -> bytes:
    """Return a sound file of a kind, a tone in noise."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(0).standard_normal((time.size, channels))
    stream = io.BytesIO()
    soundfile.write(stream, 0.3 * np.sin(2 * np.pi * 440 * time)[:, None] + 0.01 * noise, rate_hz, **CONTAINERS[container])
    return stream.getvalue()


def mutated(content: bytes, generator: np.random.Generator) -> bytes:
    """Return a file damaged in one to three ways."""
    for _ in range(int(generator.integers(1, 4))):
        content = _WAYS[int(generator.integers(len(_WAYS)))](content, generator)
    return content


def _place(content: bytes, generator: np.random.Generator) -> int:
    """Draw a position, half of the time within the header."""
    end = min(_HEADER_BYTES, len(content)) if generator.random() < 0.5 else len(content)
    return int(generator.integers(max(1, end)))


def _flip(content: bytes, generator: np.random.Generator) -> bytes:
    changed = bytearray(content)
    for _ in range(int(generator.integers(1, 20))):
        if changed:
            changed[_place(content, generator)] ^= 1 << int(generator.integers(8))
    return bytes(changed)


def _number(content: bytes, generator: np.random.Generator) -> bytes:
    value = _EXTREME[int(generator.integers(len(_EXTREME)))]
    packed = struct.pack("<I" if generator.random() < 0.5 else ">I", value)
    place = _place(content, generator)
    return content[:place] + packed + content[place + 4 :]


def _cut(content: bytes, generator: np.random.Generator) -> bytes:
    return content[: _place(content, generator)]


def _lose(content: bytes, generator: np.random.Generator) -> bytes:
    place = _place(content, generator)
    return content[:place] + content[place + int(generator.integers(1, 5000)) :]


def _insert(content: bytes, generator: np.random.Generator) -> bytes:
    place = _place(content, generator)
    return content[:place] + generator.bytes(int(generator.integers(1, 5000))) + content[place:]


def _zero(content: bytes, generator: np.random.Generator) -> bytes:
    place, count = _place(content, generator), int(generator.integers(1, 2000))
    return content[:place] + bytes(count) + content[place + count :]


def _repeat(content: bytes, generator: np.random.Generator) -> bytes:
    place = _place(content, generator)
    return content[:place] + content[place - int(generator.integers(1, 5000)) if place else 0 :]


def _append(content: bytes, generator: np.random.Generator) -> bytes:
    return content + (content if generator.random() < 0.5 else generator.bytes(int(generator.integers(1, 5000))))


_WAYS: tuple[Callable[[bytes, np.random.Generator], bytes], ...] = (_flip, _number, _cut, _lose, _insert, _zero, _repeat, _append)
