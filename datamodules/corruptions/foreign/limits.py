"""What single functions of torchaudio take without a word and cannot do, or do not do in any time."""

from collections.abc import Mapping
from itertools import product
from math import gcd
from typing import Any

from datamodules.corruptions.foreign.arguments import Drawn, Value

LARGEST_KERNEL = 1_000_000
"""Weights of the filters of a resampling, a tenth of a second; they grow with the square of rates that share no factor."""

WORDS = {("dither", "density_function"): ("TPDF", "RPDF", "GPDF")}
"""By function and argument, where another word is taken for the first of these."""


def check_words(name: str, arguments: Mapping[str, Value | Drawn], key: str) -> None:
    """Refuse a word that a function does not know and does not refuse by itself.

    Args:
        name: of the function.
        arguments: that it gets.
        key: of the function in the configuration, for the message.

    Raises:
        ValueError: if it does not know one.
    """
    for (function, argument), known in WORDS.items():
        if function == name and argument in arguments and arguments[argument] not in known:
            raise ValueError(f"{key}.{argument}={arguments[argument]!r} must be one of {', '.join(known)}")


def check_frequencies(arguments: Mapping[str, Value | Drawn], sample_rate: int, key: str) -> None:
    """Refuse frequencies that are not between 0 and half the sample rate.

    Raises:
        ValueError: if one is not.
    """
    for name, value in arguments.items():
        low, high = (value.low, value.high) if isinstance(value, Drawn) else (value, value)
        if not name.endswith("_freq") or not isinstance(low, float) or not isinstance(high, float):
            continue
        if high >= sample_rate / 2:
            raise ValueError(f"{key}.{name}={value} must lie below half of data.sample_rate={sample_rate}")
        if low <= 0:
            raise ValueError(f"{key}.{name}={value} must be a frequency in Hz, above 0")


def check_pitch_shift(arguments: Mapping[str, Value | Drawn], sample_rate: int, key: str) -> None:
    """Refuse shifts by which torchaudio resamples with a filter for nearly each sample of a second: half a minute and gigabytes.

    Args:
        arguments: of `pitch_shift`.
        sample_rate: in Hz.
        key: of the function in the configuration, for the message.

    Raises:
        ValueError: if one of the shifts that can be drawn needs more than `LARGEST_KERNEL` weights.
    """
    for steps, octave in product(_whole(arguments["n_steps"]), _whole(arguments.get("bins_per_octave", 12))):
        weights = _kernel_weights(sample_rate, steps, octave) if octave else 0
        if weights > LARGEST_KERNEL:
            shift = f"n_steps={steps} of bins_per_octave={octave}"
            told = (
                f"is resampled by {weights / 1e6:.1f} million filter weights at data.sample_rate={sample_rate}, for each window"
            )
            most = f"at most {LARGEST_KERNEL / 1e6:g} million are allowed: take whole octaves, such as n_steps={abs(octave)}"
            raise ValueError(f"{key}: {shift} {told}; {most}")


def _whole(value: Any) -> range:
    return range(int(value.low), int(value.high) + 1) if isinstance(value, Drawn) else range(value, value + 1)


def _kernel_weights(sample_rate: int, steps: int, octave: int) -> int:
    """Return how many weights torchaudio needs to resample from the rate that a shift leaves: a filter for each phase."""
    old = int(sample_rate * 2.0 ** min(steps / octave, 1000))
    common = gcd(old, sample_rate) or 1
    old, new = old // common, sample_rate // common
    return new * (old + 2 * _zeros(old, new)) if old else 0


def _zeros(old: int, new: int) -> int:
    """Return the half length of one filter, six zero crossings of the lower rate."""
    return int(6 * old / (0.99 * min(old, new))) + 1
