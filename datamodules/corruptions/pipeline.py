"""Corruptions written as one line of text: `sample 5000 10000,whitenoise 0 0.1`.

The grammar is that of the `--preprocessing` option of Billotais/Denoising-with-Generative-Models (public repository): steps
separated by commas, their arguments by spaces, applied from left to right. Unlike there, no step changes the level or the
length of the audio, noise is new for every example, and every argument that is read has an effect.
"""

import copy
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.bandwidth import Bandwidth
from datamodules.corruptions.chain import Chain, Composite
from datamodules.corruptions.noise import EXPONENTS, colored_noise, tpdf_noise
from datamodules.corruptions.reverb import Reverb
from datamodules.corruptions.torchaudio_effects import TorchaudioEffects
from datamodules.draws import at_level, normal


@dataclass(frozen=True)
class StepKind:
    """What the grammar knows about a step."""

    arguments: str
    """Names of the required arguments, in order."""
    build: Callable[..., Corruption]
    """Makes the corruption from the required arguments."""
    rate_argument: int | None = None
    """Which argument is the sample rate of the result."""
    optional: str = ""
    """Names of the arguments that may follow, in order."""

    def usage(self, name: str) -> str:
        """Write the step as a user would."""
        return f"{name} {self.arguments}" + (f" [{self.optional}]" if self.optional else "")

    def counts(self) -> range:
        """Tell how many arguments may be given."""
        required = len(self.arguments.split())
        return range(required, required + len(self.optional.split()) + 1)


class Pipeline(Composite):
    """Apply the steps of a text in their order.

    | step | arguments | effect |
    |---|---|---|
    | `sample` | input rate, target rate | keep what a recording at the input rate in Hz would hold |
    | `whitenoise`, `pinknoise`, `brownnoise`, `tpdfnoise` | variance, intensity | add noise of that RMS, full scale 1 |
    | `reverb` | rate, then optionally variance, reverberance | put into simulated rooms |
    | `scale` | rate | nothing: a pair of equal recordings |
    | `effect` | function, then `ARGUMENT=VALUE` or `ARGUMENT=LOW..HIGH` | a function of torchaudio; see `TorchaudioEffects` |

    The level of the noise is drawn per example as `|intensity + variance * N(0, 1)|`: what the grammar calls variance is a
    standard deviation, as in its origin. The reverberance of an example lies within `variance` (0) of `reverberance` (50), in
    percent. The rate in `reverb` and `scale` and the target rate in `sample` must equal `data.sample_rate`.
    """

    def __init__(self, steps: str | Sequence[str]) -> None:
        """Parse the steps.

        Args:
            steps: steps separated by commas, or a list of steps.

        Raises:
            ValueError: if a step is unknown, has wrong arguments, or names another target rate than the others.
        """
        texts = steps.split(",") if isinstance(steps, str) else list(steps)
        parsed = [_parse(text.strip()) for text in texts]
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


class LevelNoise(Corruption):
    """Add noise of one color whose level is absolute, not relative to the audio."""

    def __init__(self, color: str, deviation: float, level: float) -> None:
        """Store the level.

        Args:
            color: white, pink, brown or tpdf.
            deviation: standard deviation of the level, full scale 1.
            level: mean RMS level, full scale 1.
        """
        self._color = color
        self._deviation = deviation
        self._level = level

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Add noise to a batch; see `Corruption`."""
        level = (self._level + self._deviation * normal((clean.shape[0], 1, 1), generator)).abs()
        noise = self._noise(clean, sample_rate, generator)
        return clean + at_level(noise, level.to(clean.device)).to(clean.dtype)

    def _noise(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Make noise of any level, (B, C, T)."""
        if self._color == "tpdf":
            return tpdf_noise(clean.shape, generator).to(clean.device)
        share = torch.tensor([float(color == self._color) for color in EXPONENTS], device=clean.device)
        return colored_noise(share.expand(clean.shape[0], -1), clean.shape, sample_rate, generator)


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


def _reverb(rate_hz: float, variance: float = 0.0, reverberance: float = 50.0) -> Reverb:
    """Build rooms with the reverberation times of Jezar's Freeverb, the public-domain algorithm behind SoX's `reverb`.

    A comb filter of delay d and feedback g falls by 60 dB in `3 d / -log10(g)`; Freeverb's mean delay is 1356.5 samples at
    44.1 kHz, and its feedback goes from 0.7 to 0.98: 0.6 s at 0 %, 1.2 s at 50 %, 10.5 s at 100 %.
    """
    if variance < 0 or not 0 <= reverberance <= 100:
        raise ValueError("the variance must not be negative, the reverberance must lie within 0 to 100 (percent)")
    ends = (max(0.0, reverberance - variance), min(100.0, reverberance + variance))
    return Reverb(t60_s=[3 * (1356.5 / 44100) / -math.log10(0.7 + 0.28 * end / 100) for end in ends])


def _scale(rate_hz: float) -> Identity:
    """Build the step whose only meaning is its rate."""
    return Identity()


EFFECT_USAGE = "effect FUNCTION ARGUMENT=VALUE ARGUMENT=LOW..HIGH ..."
STEPS: dict[str, StepKind] = {
    "sample": StepKind("INPUT_RATE TARGET_RATE", _sample, rate_argument=1),
    "whitenoise": StepKind("VARIANCE INTENSITY", functools.partial(LevelNoise, "white")),
    "pinknoise": StepKind("VARIANCE INTENSITY", functools.partial(LevelNoise, "pink")),
    "brownnoise": StepKind("VARIANCE INTENSITY", functools.partial(LevelNoise, "brown")),
    "tpdfnoise": StepKind("VARIANCE INTENSITY", functools.partial(LevelNoise, "tpdf")),
    "reverb": StepKind("RATE", _reverb, rate_argument=0, optional="VARIANCE REVERBERANCE"),
    "scale": StepKind("RATE", _scale, rate_argument=0),
}


def _parse(text: str) -> tuple[Corruption, int | None]:
    """Turn a step's text into its corruption and the rate at which it must run, if it names one."""
    name, *words = text.split() or [""]
    if name == "effect":
        return _effect(text, words), None
    if name not in STEPS:
        known = ", ".join([*(kind.usage(step) for step, kind in STEPS.items()), EFFECT_USAGE])
        raise ValueError(f"steps holds the unknown step {text!r}; known: {known}")
    kind = STEPS[name]
    try:
        values = [_finite(word) for word in words]
        if len(values) not in kind.counts():
            raise ValueError(f"got {len(values)} arguments")
        rate_hz = None if kind.rate_argument is None else _whole(values[kind.rate_argument])
        return kind.build(*values), rate_hz
    except ValueError as error:
        raise ValueError(f"steps holds {text!r}, which is not '{kind.usage(name)}': {error}") from error


def _effect(text: str, words: Sequence[str]) -> Corruption:
    """Turn the words of an effect into its corruption."""
    function, *arguments = words or [""]
    if not function or not all("=" in argument for argument in arguments):
        raise ValueError(f"steps holds {text!r}, which is not '{EFFECT_USAGE}'")
    given = {name: _value(word) for name, _, word in (argument.partition("=") for argument in arguments)}
    try:
        return TorchaudioEffects([{function: given}])
    except ValueError as error:
        raise ValueError(f"steps holds {text!r}: {error}") from error


def _value(word: str) -> float | bool | str | list[float]:
    """Read a number, two of them with two dots between them, true or false, or else text.

    >>> _value("5"), _value("5..30"), _value("true"), _value("TPDF")
    (5.0, [5.0, 30.0], True, 'TPDF')
    """
    if word in ("true", "false"):
        return word == "true"
    try:
        ends = [_finite(end) for end in word.split("..")]
    except ValueError:
        return word
    return ends[0] if len(ends) == 1 else ends


def _finite(word: str) -> float:
    """Read a number."""
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word!r} is not a finite number")
    return value


def _whole(rate_hz: float) -> int:
    """Check a sample rate."""
    if rate_hz <= 0 or rate_hz != int(rate_hz):
        raise ValueError(f"the rate {rate_hz:g} is not a positive whole number of Hz")
    return int(rate_hz)
