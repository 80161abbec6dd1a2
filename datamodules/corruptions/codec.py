"""Round trips through lossy codecs (MP3, Vorbis, Opus) in memory, with libsndfile, on the CPU.

libsndfile removes the delay of encoder and decoder itself and returns as many samples as it was given.
"""

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import soundfile
import torch
from torch import Tensor

from datamodules import audio_io
from datamodules.corruptions import draws
from datamodules.corruptions.draws import Range
from datamodules.corruptions.settings import known_names, range_within

OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
"""RFC 6716, section 2."""

MP3_LIMITS_KBPS = {
    (32000, 44100, 48000): (32.0, 320.0),
    (16000, 22050, 24000): (8.0, 160.0),
    (8000, 11025, 12000): (8.0, 64.0),
}
"""Lowest and highest constant bit rates of MPEG-1, MPEG-2 and MPEG-2.5 layer III."""

OPUS_LIMITS_KBPS = (6.0, 256.0)
"""Of one channel, as libsndfile offers them."""


class Codec:
    """Encode and decode each example with a codec drawn from `codecs`, at a drawn bit rate or quality."""

    def __init__(
        self,
        codecs: Sequence[str] = ("mp3", "vorbis", "opus"),
        mp3_kbps: Range = (16.0, 96.0),
        vorbis_quality: Range = (0.0, 0.5),
        opus_kbps: Range = (8.0, 48.0),
    ) -> None:
        """Check the ranges.

        Args:
            codecs: Codecs of which each example draws one.
            mp3_kbps: Constant bit rate of all channels in kbit/s; the nearest one that the sample rate allows is used.
            vorbis_quality: Quality from 0 (lowest) to 1, a tenth of what oggenc calls -q.
            opus_kbps: Mean bit rate of one channel in kbit/s, 6 to 256.

        Raises:
            ValueError: If a codec is unknown or a range is outside of what the codec allows.
        """
        self._ways: dict[str, tuple[Callable[[np.ndarray, int, float], np.ndarray], tuple[float, float]]] = {
            "mp3": (through_mp3, range_within(mp3_kbps, "mp3_kbps", 8.0, 320.0)),
            "vorbis": (through_vorbis, range_within(vorbis_quality, "vorbis_quality", 0.0, 1.0)),
            "opus": (through_opus, range_within(opus_kbps, "opus_kbps", *OPUS_LIMITS_KBPS)),
        }
        self._codecs = known_names(codecs, "codecs", self._ways)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the decoded batch; see `Corruption`. Examples are coded in parallel, on as many threads as there are cores.

        Raises:
            ValueError: If a codec cannot hold the sample rate or the number of channels.
        """
        audio = clean.detach().to("cpu", torch.float32).numpy()
        drawn = draws.choices(len(self._codecs), (len(audio),), generator).tolist()
        positions = draws.uniform(0, 1, (len(audio),), generator).tolist()

        def code(example: np.ndarray, index: int, position: float) -> np.ndarray:
            round_trip, (low, high) = self._ways[self._codecs[index]]
            return round_trip(example, sample_rate, low + (high - low) * position)

        with ThreadPoolExecutor(min(len(audio), os.cpu_count() or 1)) as pool:
            decoded = np.stack(list(pool.map(code, audio, drawn, positions)))
        return torch.from_numpy(decoded).to(clean)


def through_mp3(audio: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    """Encode and decode one or two channels at a constant bit rate.

    Args:
        audio: (C, T) float32.
        sample_rate: One of those in `MP3_LIMITS_KBPS`.
        kbps: Bit rate of all channels together in kbit/s, brought within the limits of the sample rate.

    Returns:
        (C, T) float32.

    Raises:
        ValueError: If MP3 cannot hold the sample rate or the number of channels.
    """
    limits = [limits for rates, limits in MP3_LIMITS_KBPS.items() if sample_rate in rates]
    if not limits:
        allowed = ", ".join(str(rate) for rate in sorted(rate for rates in MP3_LIMITS_KBPS for rate in rates))
        raise ValueError(
            f"data.sample_rate={sample_rate} is not possible in MP3: use one of {allowed}, or leave mp3 out of codecs"
        )
    if audio.shape[0] > 2:
        raise ValueError(f"MP3 holds one or two channels, not {audio.shape[0]}: leave mp3 out of codecs")
    low, high = limits[0]
    level = (high - min(max(kbps, low), high)) / (high - low)
    return _round_trip(audio, sample_rate, "MP3", "MPEG_LAYER_III", min(level, 0.999), "CONSTANT")  # LAME refuses 1.


def through_vorbis(audio: np.ndarray, sample_rate: int, quality: float) -> np.ndarray:
    """Encode and decode (C, T) at a quality from 0 to 1."""
    return _round_trip(audio, sample_rate, "OGG", "VORBIS", 1 - quality, "VARIABLE")


def through_opus(audio: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    """Encode and decode (C, T) at a mean bit rate of one channel in kbit/s.

    A sample rate that Opus does not have is brought up to the next one that it has, and back.
    """
    low, high = OPUS_LIMITS_KBPS
    coded_hz = next((rate for rate in OPUS_RATES_HZ if rate >= sample_rate), OPUS_RATES_HZ[-1])
    resampled = audio_io.resample(audio, sample_rate, coded_hz)
    decoded = _round_trip(resampled, coded_hz, "OGG", "OPUS", (high - kbps) / (high - low), "VARIABLE")
    return _fitted(audio_io.resample(decoded, coded_hz, sample_rate), audio.shape[1])


def _round_trip(audio: np.ndarray, sample_rate: int, container: str, subtype: str, level: float, mode: str) -> np.ndarray:
    stream = io.BytesIO()
    soundfile.write(stream, audio.T, sample_rate, subtype, format=container, compression_level=level, bitrate_mode=mode)
    stream.seek(0)
    decoded, _ = soundfile.read(stream, dtype="float32", always_2d=True)
    return _fitted(decoded.T, audio.shape[1])


def _fitted(audio: np.ndarray, length_samples: int) -> np.ndarray:
    """Cut or zero-pad (C, T) to a length: older libsndfile versions and resampling leave a few samples more or less."""
    return np.pad(audio[:, :length_samples], ((0, 0), (0, max(0, length_samples - audio.shape[1]))))
