"""Round trips through lossy codecs (MP3, Vorbis, Opus) in memory, with libsndfile, on the CPU.

libsndfile removes the delay of encoder and decoder itself and returns as many samples as it was given, but for MP3 at low rates.
"""

import io
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import soundfile
import torch
from torch import Tensor

from datamodules import draws
from datamodules.audio import io as audio_io
from datamodules.corruptions import Corruption
from datamodules.corruptions.dsp.fft import fast_length
from datamodules.corruptions.settings import known_names, range_within
from datamodules.draws import Range

OPUS_RATES_HZ = (8000, 12000, 16000, 24000, 48000)
"""RFC 6716, section 2."""

MP3_KBPS: dict[tuple[int, ...], tuple[int, ...]] = {
    (32000, 44100, 48000): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (16000, 22050, 24000): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (8000, 11025, 12000): (8, 16, 24, 32, 40, 48, 56, 64),
}
"""Constant bit rates that MPEG-1, MPEG-2 and MPEG-2.5 layer III have at each sample rate."""

MP3_DELAY_SAMPLES = 1105
"""Delay of LAME (576) and of any decoder (529), which libsndfile cannot remove where a frame is too small for LAME's header."""

VORBIS_HIGHEST_HZ = 200_000
"""Encoding at a higher rate ends the whole process in the libvorbis of soundfile 0.14 (libsndfile 1.2.2)."""

MOST_CHANNELS = {"mp3": 2, "vorbis": 255, "opus": 255}

OPUS_LIMITS_KBPS = (6.0, 256.0)
"""Of one channel, as libsndfile offers them."""

_TRIED_DELAYS_S = 5e-6 * np.array(sorted(range(-20, 21), key=abs))  # The smallest first: it wins where all are equal.
_ALIGNED_BELOW_HZ = 4000


class Codec(Corruption):
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
            codecs: codecs of which each example draws one.
            mp3_kbps: constant bit rate of all channels in kbit/s; the nearest one that the sample rate has is used.
            vorbis_quality: quality from 0 (lowest) to 1, a tenth of what oggenc calls -q.
            opus_kbps: mean bit rate of one channel in kbit/s, 6 to 256.

        Raises:
            ValueError: if a codec is unknown or a range is outside of what the codec allows.
        """
        self._ways: dict[str, tuple[Callable[[np.ndarray, int, float], np.ndarray], tuple[float, float]]] = {
            "mp3": (through_mp3, range_within(mp3_kbps, "mp3_kbps", 8.0, 320.0)),
            "vorbis": (through_vorbis, range_within(vorbis_quality, "vorbis_quality", 0.0, 1.0)),
            "opus": (through_opus, range_within(opus_kbps, "opus_kbps", *OPUS_LIMITS_KBPS)),
        }
        self._codecs = known_names(codecs, "codecs", self._ways)

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what one of the codecs cannot hold; see `Corruption.check`."""
        try:
            for codec in self._codecs:
                check_codec(codec, sample_rate, channels)
        except ValueError as error:
            raise ValueError(f"codecs=[{', '.join(self._codecs)}]: {error}") from error

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the decoded batch; see `Corruption`. Examples are coded in parallel, on as many threads as there are cores.

        Raises:
            ValueError: if a codec cannot hold the sample rate or the number of channels.
        """
        self.check(sample_rate, clean.shape[1])
        audio = clean.detach().to("cpu", torch.float32).numpy()
        drawn = draws.choices(len(self._codecs), (len(audio),), generator).tolist()
        positions = draws.uniform(0, 1, (len(audio),), generator).tolist()

        def code(example: np.ndarray, index: int, position: float) -> np.ndarray:
            round_trip, (low, high) = self._ways[self._codecs[index]]
            return round_trip(example, sample_rate, low + (high - low) * position)

        with ThreadPoolExecutor(min(len(audio), os.cpu_count() or 1)) as pool:
            decoded = np.stack(list(pool.map(code, audio, drawn, positions)))
        return torch.from_numpy(decoded).to(clean)


def check_codec(codec: str, sample_rate: int, channels: int) -> None:
    """Refuse a sample rate or a number of channels that a codec cannot hold.

    Raises:
        ValueError: if it cannot; the message says what to change.
    """
    if codec == "mp3" and not _mp3_kbps(sample_rate):
        allowed = ", ".join(str(rate) for rate in sorted(rate for rates in MP3_KBPS for rate in rates))
        raise ValueError(
            f"data.sample_rate={sample_rate} is not possible in MP3: use one of {allowed}, or leave mp3 out of codecs"
        )
    if codec == "vorbis" and sample_rate > VORBIS_HIGHEST_HZ:
        raise ValueError(
            f"data.sample_rate={sample_rate} is not possible in Vorbis: use at most {VORBIS_HIGHEST_HZ}, or leave vorbis out "
            "of codecs"
        )
    if channels > MOST_CHANNELS[codec]:
        held = "one or two channels" if codec == "mp3" else f"at most {MOST_CHANNELS[codec]} channels"
        raise ValueError(f"{codec} holds {held}, not {channels}: set data.channels or leave {codec} out of codecs")


def _mp3_kbps(sample_rate: int) -> tuple[int, ...]:
    """Return the bit rates that MP3 has at a sample rate; none where it does not have the rate."""
    return next((kbps for rates, kbps in MP3_KBPS.items() if sample_rate in rates), ())


def through_mp3(audio: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    """Encode and decode one or two channels at a constant bit rate.

    Args:
        audio: (C, T) float32.
        sample_rate: one of those in `MP3_KBPS`.
        kbps: bit rate of all channels together in kbit/s; the nearest one that the sample rate has is used.

    Returns:
        (C, T) float32.

    Raises:
        ValueError: if MP3 cannot hold the sample rate or the number of channels.
    """
    check_codec("mp3", sample_rate, audio.shape[0])
    decoded = _decoded(mp3_file(audio, sample_rate, kbps))
    start = MP3_DELAY_SAMPLES if decoded.shape[1] > audio.shape[1] else 0
    return _fitted(decoded[:, start:], audio.shape[1]) / _lame_scale(_nearest_kbps(sample_rate, kbps))


def mp3_file(audio: np.ndarray, sample_rate: int, kbps: float) -> bytes:
    """Encode one or two channels (C, T) at the nearest constant bit rate in kbit/s that the sample rate has."""
    possible, nearest = _mp3_kbps(sample_rate), _nearest_kbps(sample_rate, kbps)
    level = min((possible[-1] - nearest) / (possible[-1] - possible[0]), 0.999)  # LAME refuses 1.
    return _encoded(audio, sample_rate, "MP3", "MPEG_LAYER_III", level, "CONSTANT")


def _nearest_kbps(sample_rate: int, kbps: float) -> int:
    return min(_mp3_kbps(sample_rate), key=lambda candidate: abs(candidate - kbps))


def through_vorbis(audio: np.ndarray, sample_rate: int, quality: float) -> np.ndarray:
    """Encode and decode (C, T) at a quality from 0 to 1."""
    return _fitted(_decoded(vorbis_file(audio, sample_rate, quality)), audio.shape[1])


def vorbis_file(audio: np.ndarray, sample_rate: int, quality: float) -> bytes:
    """Encode (C, T) at a quality from 0 to 1."""
    return _encoded(audio, sample_rate, "OGG", "VORBIS", 1 - quality)


def through_opus(audio: np.ndarray, sample_rate: int, kbps: float) -> np.ndarray:
    """Encode and decode (C, T) at a mean bit rate of one channel in kbit/s.

    A sample rate that Opus does not have is brought up to the next one that it has, and back; one above 48 kHz down to 48 kHz,
    and back.
    """
    coded_hz = next((rate for rate in OPUS_RATES_HZ if rate >= sample_rate), OPUS_RATES_HZ[-1])
    resampled = audio_io.resample(audio, sample_rate, coded_hz)
    decoded = _decoded(opus_file(resampled, coded_hz, kbps))
    decoded = _without_residual_delay(_fitted(decoded, resampled.shape[1]), resampled, coded_hz)
    return _fitted(audio_io.resample(decoded, coded_hz, sample_rate), audio.shape[1])


def opus_file(audio: np.ndarray, sample_rate: int, kbps: float) -> bytes:
    """Encode (C, T), at a sample rate that Opus has, at a mean bit rate of one channel in kbit/s."""
    low, high = OPUS_LIMITS_KBPS
    return _encoded(audio, sample_rate, "OGG", "OPUS", (high - kbps) / (high - low))


def _encoded(audio: np.ndarray, sample_rate: int, container: str, subtype: str, level: float, mode: str | None = None) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, audio.T, sample_rate, subtype, format=container, compression_level=level, bitrate_mode=mode)
    return stream.getvalue()


def _decoded(content: bytes) -> np.ndarray:
    decoded: np.ndarray = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]
    return decoded.T


def _without_residual_delay(decoded: np.ndarray, audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Shift (C, T) to where it correlates best with the input, by at most 0.1 ms.

    Opus leaves 30 to 50 microseconds, of either sign, at the low bit rates where it resamples to its speech codec. That is a
    fraction of a period and easily removed, but two samples at 48 kHz, enough to halve the SNR in dB.
    """
    size = fast_length(audio.shape[1] + 2 * sample_rate // 1000)
    frequency_hz = np.fft.rfftfreq(size, 1 / sample_rate)
    spectrum = np.fft.rfft(decoded, size)
    cross = (spectrum * np.fft.rfft(audio, size).conj()).sum(axis=0)
    speech = frequency_hz < _ALIGNED_BELOW_HZ
    rotations = np.exp(2j * np.pi * frequency_hz[speech] * _TRIED_DELAYS_S[:, None])
    best = _TRIED_DELAYS_S[np.argmax((rotations @ cross[speech]).real)]
    shifted = np.fft.irfft(spectrum * np.exp(2j * np.pi * frequency_hz * best), size)
    return shifted[:, : audio.shape[1]].astype(np.float32)


def _lame_scale(kbps: int) -> float:
    """Return the factor by which LAME's presets turn the input down, lest the decoder clip (LAME 3.100, `abr_switch_map`)."""
    return {192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0}.get(kbps, 0.95)


def _fitted(audio: np.ndarray, length_samples: int) -> np.ndarray:
    """Cut or zero-pad (C, T) to a length."""
    return np.pad(audio[:, :length_samples], ((0, 0), (0, max(0, length_samples - audio.shape[1]))))
