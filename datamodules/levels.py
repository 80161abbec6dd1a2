"""How loud clean audio is, and why a recording counts as silent."""

import math

import numpy as np

from datamodules.audio.decoding import mix
from datamodules.audio.io import AudioFileError, probe
from datamodules.audio.stream import read_blocks
from datamodules.cache import Recordings

_CONSTANT_DB = -120.0
"""Below the rounding of 24-bit audio: what varies less is a constant."""
_EDGE_SAMPLES = 512  # Three times what the resampler hears around a sample.


def level_db(audio: np.ndarray) -> float:
    """Return the RMS level of (C, T) in dBFS without the mean of each channel, which is not heard.

    Example:
        >>> round(level_db(np.array([[0.6, 0.4] * 8])), 1), level_db(np.full((1, 8), 0.5))
        (-20.0, -inf)
    """
    power = float(np.mean(np.var(audio, axis=1, dtype=np.float64)))
    level = 10 * math.log10(power) if power > 0 else -math.inf
    return level if level > _CONSTANT_DB else -math.inf


def is_silent(audio: np.ndarray, silence_db: float | None) -> bool:
    """Tell whether the level of (C, T) lies below `silence_db` (dBFS); nothing is silent for None.

    Example:
        >>> is_silent(np.array([[0.1, -0.1] * 8]), -19.0), is_silent(np.array([[0.1, -0.1] * 8]), -21.0)
        (True, False)
    """
    return silence_db is not None and level_db(audio) < silence_db


def has_sound(recordings: Recordings, index: int, silence_db: float | None, window_samples: int) -> bool:
    """Read a recording window by window until one is not silent; a damaged window is none.

    The ends of a longer recording are left out: resampling turns the step at the ends of a constant into a click.
    """
    length = recordings.len_samples(index)
    edge = _EDGE_SAMPLES if length > 4 * _EDGE_SAMPLES else 0
    for start in range(edge, length - edge, window_samples):
        try:
            if not is_silent(recordings.read(index, start, min(window_samples, length - edge - start)), silence_db):
                return True
        except AudioFileError:
            continue
    return False


def why_silent(recordings: Recordings, index: int, silence_db: float | None) -> str:
    """Say which property of a file and which key make a recording silent.

    Args:
        recordings: the clean audio.
        index: position of the silent recording.
        silence_db: `data.silence_db`.

    Returns:
        One sentence that begins with the file's path.
    """
    path = recordings.recordings[index].path
    try:
        channels = recordings.read(index, 0, 1).shape[0]
        mixed_db, loudest_db, own_channels = _loudest_second(path, channels)
    except AudioFileError as error:
        return str(error)
    if loudest_db == -math.inf:
        return f"{path}: holds no sound, nothing but a constant"
    if silence_db is not None and loudest_db >= silence_db > mixed_db:
        cancel = f"its {own_channels} channels cancel each other in their mean, which data.channels={channels} asks for"
        return f"{path}: {cancel}; set data.channels={own_channels}"
    quiet = f"its loudest second has {mixed_db:.1f} dBFS, and data.silence_db={silence_db} leaves out what is quieter"
    return f"{path}: {quiet}; lower data.silence_db, or null uses all"


def _loudest_second(path: str, channels: int) -> tuple[float, float, int]:
    """Return the level in dBFS of a file's loudest second after mixing and of its loudest channel, and the channel count."""
    info = probe(path)
    mixed_db = loudest_db = -math.inf
    for block in read_blocks(path, info.sample_rate_hz):
        mixed_db = max(mixed_db, level_db(mix(block, channels)))
        loudest_db = max(loudest_db, *(level_db(channel[None]) for channel in block))
    return mixed_db, loudest_db, info.channels
