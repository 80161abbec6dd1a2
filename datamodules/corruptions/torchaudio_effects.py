"""Effects of torchaudio, by name: whatever function of `torchaudio.functional` turns a waveform into one of the same form.

They are computed as the library has them: filters have their delay, most limit samples to [-1, 1], and levels change.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.foreign.arguments import Drawn, Value, read_arguments, takes_a_signal
from datamodules.corruptions.foreign.limits import check_frequencies, check_pitch_shift, check_words
from datamodules.corruptions.foreign.loading import torchaudio_functions
from datamodules.corruptions.foreign.randomness import draw_seeds, seeded_globals
from datamodules.corruptions.foreign.results import padded, signal_like, trial_signal
from datamodules.draws import rows_by_value
from datamodules.seeding import place_of_draws

DRAW_THEMSELVES = ("dither",)
"""What draws random numbers by itself, among the samples of all that it is given: one example at a time, with its own seed."""

SAMPLE_BY_SAMPLE = ("flanger", "overdrive", "phaser")
"""What goes from sample to sample in a loop, which a GPU would need several kernels for: on the CPU, wherever the batch is."""

FILTERS = "biquad"
"""How the names of filters end, by which one row of samples rounds otherwise than several: a lone one is computed twice."""


@dataclass(frozen=True)
class Effect:
    """A function of torchaudio and its arguments.

    Attributes:
        key: in the configuration, such as `effects[0].overdrive`.
        name: of the function.
        function: itself.
        arguments: by name, what they are or are drawn from.
        with_rate: whether it wants the sample rate.
    """

    key: str
    name: str
    function: Callable[..., Any]
    arguments: Mapping[str, Value | Drawn]
    with_rate: bool

    @property
    def ranges(self) -> dict[str, Drawn]:
        """Return the arguments that are drawn."""
        return {name: value for name, value in self.arguments.items() if isinstance(value, Drawn)}

    def draw(self, count: int, generator: torch.Generator) -> list[tuple[float, ...]]:
        """Draw for each of `count` examples the arguments that have a range, in their order."""
        if not self.ranges:
            return [()] * count
        return list(zip(*(value.draw(count, generator) for value in self.ranges.values()), strict=True))

    def ends(self) -> list[tuple[float, ...]]:
        """Return the lower ends of all ranges, and the upper ones."""
        return [tuple(value.low for value in self.ranges.values()), tuple(value.high for value in self.ranges.values())]

    def run(self, audio: Tensor, sample_rate: int, drawn: Sequence[float], seed: int) -> Tensor:
        """Return what the function makes of a copy of audio (B, C, T).

        Args:
            audio: (B, C, T).
            sample_rate: in Hz.
            drawn: the arguments that have a range.
            seed: for what the function draws by itself.

        Raises:
            ValueError: if it fails or returns no audio of the same form; beginning with the key.
        """
        elsewhere = torch.device("cpu") if self.name in SAMPLE_BY_SAMPLE else place_of_draws(audio.device)
        given = padded(audio.to(elsewhere))
        if self.name.endswith(FILTERS) and given.shape[:2] == (1, 1):
            given = given.repeat(2, 1, 1)
        with seeded_globals(seed, elsewhere):
            result = self._tried(given.clone(), sample_rate, drawn)
        signal = signal_like(result, given, f"{self.key}: torchaudio.functional.{self.name}")
        return signal[: len(audio), :, : audio.shape[-1]].to(audio)

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what the function cannot do, with a short signal at both ends of its ranges.

        Raises:
            ValueError: beginning with the key.
        """
        check_frequencies(self.arguments, sample_rate, self.key)
        if self.name == "pitch_shift":
            check_pitch_shift(self.arguments, sample_rate, self.key)
        for ends in self.ends():
            self.run(trial_signal(channels), sample_rate, ends, 0)

    def _tried(self, audio: Tensor, sample_rate: int, drawn: Sequence[float]) -> object:
        """Return what the function makes of audio (B, C, T), or tell its arguments with whatever goes wrong in it."""
        arguments = {**self.arguments, **self._placed(drawn)}
        try:
            return self.function(audio, **arguments, **({"sample_rate": sample_rate} if self.with_rate else {}))
        except Exception as error:  # whatever the library does with arguments that it cannot use
            settings = ", ".join(f"{name}={value}" for name, value in arguments.items())
            told = f"fails with {settings or 'its defaults'}: {type(error).__name__}: {error}"
            raise ValueError(f"{self.key}: torchaudio.functional.{self.name} {told}") from error

    def _placed(self, drawn: Sequence[float]) -> dict[str, float]:
        return {
            name: int(number) if value.whole else number for (name, value), number in zip(self.ranges.items(), drawn, strict=True)
        }


class TorchaudioEffects(Corruption):
    """Apply functions of torchaudio one after the other, each with arguments that every example draws for itself.

    Examples that draw the same are computed together: a whole batch where nothing is drawn. The global random state is neither
    read nor changed, also by functions that draw from it by themselves (`dither`): they find it seeded from the generator.
    """

    def __init__(self, effects: Sequence[str | Mapping[str, Mapping[str, Any] | None]]) -> None:
        """Look the functions up and check their arguments.

        Args:
            effects: each the name of a function of `torchaudio.functional`, or that with its arguments, such as
                `{overdrive: {gain: [5, 30]}}`; the sample rate is filled in.

        Raises:
            ValueError: if torchaudio cannot be loaded, a function is unknown or no effect, or an argument does not fit.
        """
        functions = torchaudio_functions()
        if isinstance(effects, str | Mapping) or not effects:
            raise ValueError(f"effects={effects!r} must be a list of one or more effects, such as [{{overdrive: {{gain: 20}}}}]")
        self._effects = tuple(_effect(entry, f"effects[{place}]", functions) for place, entry in enumerate(effects))

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what a function cannot do at this rate and with so many channels; see `Corruption.check`."""
        for effect in self._effects:
            effect.check(sample_rate, channels)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return the batch after all effects; see `Corruption`.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

        Returns:
            Audio, (B, C, T).

        Raises:
            ValueError: if a function returns no audio of the same form, or NaN.
        """
        audio = clean.clone()
        for effect in self._effects:
            drawn, seeds = effect.draw(len(clean), generator), draw_seeds(len(clean), generator)
            alone = effect.name in DRAW_THEMSELVES
            groups = rows_by_value((row, *values) if alone else values for row, values in enumerate(drawn))
            audio = _joined(audio, {
                tuple(rows): effect.run(audio[rows], sample_rate, drawn[rows[0]], seeds[rows[0]]) for rows in groups.values()
            })  # fmt: skip
        return audio


def _joined(audio: Tensor, parts: Mapping[tuple[int, ...], Tensor]) -> Tensor:
    """Return a batch like `audio` whose rows are those of the parts."""
    joined = torch.empty_like(audio)
    for rows, part in parts.items():
        joined[list(rows)] = part
    return joined


def _effect(entry: object, key: str, functions: ModuleType) -> Effect:
    """Read an effect: a name, or a name with arguments."""
    described = {entry: {}} if isinstance(entry, str) else entry
    if not isinstance(described, Mapping) or len(described) != 1:
        raise ValueError(f"{key}={entry!r} must be the name of one function, with its arguments as {{NAME: {{ARGUMENT: VALUE}}}}")
    ((name, given),) = described.items()
    function = getattr(functions, str(name), None) if str(name) in functions.__all__ else None
    if function is None or not takes_a_signal(function):
        flaw = "is no function of torchaudio.functional" if function is None else "does not turn a waveform alone into another"
        raise ValueError(f"{key}={name} {flaw}; known: {', '.join(_known(functions))}")
    if not isinstance(given, Mapping | None):
        raise ValueError(f"{key}.{name}={given!r} must be arguments by name")
    arguments = read_arguments(function, given or {}, f"{key}.{name}")
    check_words(str(name), arguments, f"{key}.{name}")
    return Effect(f"{key}.{name}", str(name), function, arguments, "sample_rate" in signature(function).parameters)


def _known(functions: ModuleType) -> list[str]:
    return sorted(name for name in functions.__all__ if takes_a_signal(getattr(functions, name)))
