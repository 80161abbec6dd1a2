"""Corruptions written as one line of text: `sample 5000 10000,whitenoise 0 0.1`.

The grammar is that of the `--preprocessing` option of Billotais/Denoising-with-Generative-Models (public repository): steps
separated by commas, their arguments by spaces, applied from left to right. Unlike there, no step changes the level or the
length of the audio, noise is new for every example, and every argument that is read has an effect.
"""

import copy
import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.chain import Chain, Composite
from datamodules.corruptions.codec import Codec
from datamodules.corruptions.compression import Compression
from datamodules.corruptions.echo import Echo
from datamodules.corruptions.effect_step import EffectKind, effect
from datamodules.corruptions.feedback import Feedback
from datamodules.corruptions.freeverb import Freeverb
from datamodules.corruptions.grammar import StepKind, parse
from datamodules.corruptions.levels import LevelAmplifier, LevelNoise
from datamodules.corruptions.noise import Noise
from datamodules.corruptions.quantization import Quantize


class Pipeline(Composite):
    """Apply the steps of a text in their order.

    | step | arguments | effect |
    |---|---|---|
    | `sample` | input rate, target rate | keep what a recording at the input rate in Hz would hold |
    | `whitenoise`, `pinknoise`, `brownnoise`, `tpdfnoise` | variance, intensity | add noise of that RMS, full scale 1 |
    | `hum`, `amplifiernoise` | variance, intensity; `hum` also mains (50 Hz) | add what an amplifier does, of that RMS |
    | `background` | SNR in dB, folder | mix in recordings of a folder |
    | `reverb` | rate, then optionally those of `Freeverb` behind a variance | reverberate |
    | `echo` | delay in ms, decay, repeats (1) | repeat, each time times the decay |
    | `feedback` | delay in ms, loop gain in dB, frequency in Hz | ring |
    | `quantization`, `hold` | bits; samples | round; hold a sample |
    | `compression` | threshold in dB below the loudest, ratio | compress the dynamic range |
    | `mp3`, `opus`, `vorbis` | kbit/s; quality from 0 to 1 | encode and decode |
    | `scale` | rate | nothing: a pair of equal recordings |
    | `effect` | function, then `ARGUMENT=VALUE` or `ARGUMENT=LOW..HIGH` | a function of torchaudio; see `TorchaudioEffects` |

    The level of the noise is drawn per example as `|intensity + variance * N(0, 1)|`: what the grammar calls variance is a
    standard deviation, as in its origin. The reverberance of an example lies within `variance` (0) of `reverberance` (50), in
    percent. The rate in `reverb` and `scale` and the target rate in `sample` must equal `data.sample_rate`. A folder holds
    neither spaces nor commas.
    """

    def __init__(self, steps: str | Sequence[str]) -> None:
        """Parse the steps.

        Args:
            steps: steps separated by commas, or a list of steps.

        Raises:
            ValueError: if a step is unknown, has wrong arguments, or names another target rate than the others.
        """
        texts = steps.split(",") if isinstance(steps, str) else list(steps)
        parsed = [parse(text.strip(), STEPS) for text in texts]
        rates = sorted({rate for _, rate in parsed if rate is not None})
        if len(rates) > 1:
            raise ValueError(
                f"steps={steps!r} names several target rates ({', '.join(map(str, rates))}): give all steps the same"
            )
        self._rate_hz = rates[0] if rates else None
        self._chain = Chain([corruption for corruption, _ in parsed])

    @property
    def parts(self) -> dict[str, Corruption]:
        """Return the steps; see `Composite.parts`."""
        return self._chain.parts

    def with_parts(self, parts: Sequence[Corruption]) -> "Pipeline":
        """Return the pipeline with other steps; see `Composite.with_parts`."""
        changed = copy.copy(self)
        changed._chain = self._chain.with_parts(parts)
        return changed

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse other rates than the one that the steps name, and what a step refuses; see `Corruption.check`."""
        if self._rate_hz not in (None, sample_rate):
            raise ValueError(f"steps aim at {self._rate_hz} Hz but data.sample_rate={sample_rate}: set it to {self._rate_hz}")
        super().check(sample_rate, channels)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt a batch with all steps.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

        Returns:
            Corrupted audio, (B, C, T).

        Raises:
            ValueError: if the steps name another target rate.
        """
        self.check(sample_rate, clean.shape[1])
        return self._chain(clean, sample_rate, generator)


class Identity(Corruption):
    """Corrupt nothing."""

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return a copy of the batch; see `Corruption`."""
        return clean.clone()


def _sample(input_rate_hz: float, target_rate_hz: float) -> Bandwidth:
    """Resample to the input rate and back by steep filters; 95 % of the band is what SoX's `rate` keeps by default."""
    if not 0 < input_rate_hz < target_rate_hz:
        raise ValueError(f"the input rate {input_rate_hz:g} must lie between 0 and the target rate {target_rate_hz:g}")
    return Bandwidth(input_rate_hz, filters=["windowed_sinc"], order=12, cutoff_ratio=0.95, interpolation=["sinc"])


def _reverb(
    rate_hz: float,
    variance: float = 0.0,
    reverberance: float = 50.0,
    hf_damping: float = 50.0,
    room_scale: float = 100.0,
    stereo_depth: float = 100.0,
    pre_delay_ms: float = 0.0,
    wet_gain_db: float = 0.0,
    wet_only: float = 0.0,
) -> Freeverb:
    """Build the reverberation, its strength anywhere within the variance."""
    if variance < 0 or wet_only not in (0, 1):
        raise ValueError("VARIANCE must not be negative, and WET_ONLY must be 0 or 1")
    if not 0 <= reverberance <= 100:
        raise ValueError(f"REVERBERANCE is {reverberance:g}, which is not within 0 to 100 (percent)")
    strength = (max(0.0, reverberance - variance), min(100.0, reverberance + variance))
    return Freeverb(strength, hf_damping, room_scale, stereo_depth, pre_delay_ms, wet_gain_db, bool(wet_only))


def _echo(delay_ms: float, decay: float, repeats: float = 1.0) -> Echo:
    """Build echoes."""
    return Echo(delay_ms, decay, repeats)


def _background(snr_db: float, folder: str) -> Noise:
    """Mix in recordings."""
    return Noise(["recorded"], snr_db, noise_root=folder)


def _quantization(bits: float) -> Quantize:
    """Round to so many bits."""
    return Quantize(["uniform"], bits=bits)


def _hold(factor: float) -> Quantize:
    """Hold one sample for others."""
    return Quantize(["hold"], hold_factor=factor)


def _hum(deviation: float, level: float, mains_hz: float = 50.0) -> LevelAmplifier:
    """Build the hum of an amplifier."""
    return LevelAmplifier(0.0, deviation, level, mains_hz)


def _scale(rate_hz: float) -> Identity:
    """Build the step whose only meaning is its rate."""
    return Identity()


_NOISE = "VARIANCE INTENSITY"
STEPS: dict[str, StepKind] = {
    "sample": StepKind("INPUT_RATE TARGET_RATE", _sample, rate_argument=1),
    "whitenoise": StepKind(_NOISE, functools.partial(LevelNoise, "white")),
    "pinknoise": StepKind(_NOISE, functools.partial(LevelNoise, "pink")),
    "brownnoise": StepKind(_NOISE, functools.partial(LevelNoise, "brown")),
    "tpdfnoise": StepKind(_NOISE, functools.partial(LevelNoise, "tpdf")),
    "hum": StepKind(_NOISE, _hum, optional="MAINS"),
    "amplifiernoise": StepKind(_NOISE, functools.partial(LevelAmplifier, 1.0)),
    "background": StepKind("SNR FOLDER", _background),
    "reverb": StepKind(
        "RATE",
        _reverb,
        rate_argument=0,
        optional="VARIANCE REVERBERANCE HF_DAMPING ROOM_SCALE STEREO_DEPTH PRE_DELAY WET_GAIN WET_ONLY",
    ),
    "echo": StepKind("DELAY DECAY", _echo, optional="REPEATS"),
    "feedback": StepKind("DELAY LOOP_GAIN FREQUENCY", Feedback),
    "quantization": StepKind("BITS", _quantization),
    "hold": StepKind("FACTOR", _hold),
    "compression": StepKind("THRESHOLD RATIO", Compression),
    "mp3": StepKind("BIT_RATE", lambda kbps: Codec(["mp3"], mp3_kbps=kbps)),
    "vorbis": StepKind("QUALITY", lambda quality: Codec(["vorbis"], vorbis_quality=quality)),
    "opus": StepKind("BIT_RATE", lambda kbps: Codec(["opus"], opus_kbps=kbps)),
    "scale": StepKind("RATE", _scale, rate_argument=0),
    "effect": EffectKind("FUNCTION ARGUMENT=VALUE ARGUMENT=LOW..HIGH ...", effect),
}
