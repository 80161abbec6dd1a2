"""Random draws from an explicit generator, and the level arithmetic that corruptions share."""

import math
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import TypeVar

import torch
from torch import Tensor

Range = float | Sequence[float]
Drawn = TypeVar("Drawn", int, str, tuple[int, str], tuple[float, ...])
SILENCE = 1e-20
_ROUNDING = 1e-6  # Of the mean; a variation below it is what single precision leaves of a constant.


def as_range(value: Range, key: str) -> tuple[float, float]:
    """Read a setting that is either one number or `[low, high]`.

    Args:
        value: a number, which stands for a range without width, or two numbers in ascending order.
        key: name of the setting, for the error message.

    Returns:
        The lowest and the highest value.

    Raises:
        ValueError: if `value` is neither, or is not finite.

    Example:
        >>> as_range(5, "snr_db"), as_range([0, 20], "snr_db")
        ((5.0, 5.0), (0.0, 20.0))
    """
    ends = [value, value] if isinstance(value, Real) else value
    if (
        isinstance(ends, str)
        or not isinstance(ends, Sequence)
        or len(ends) != 2
        or not all(_is_finite_number(end) for end in ends)
    ):
        raise ValueError(f"{key}={value!r} is not a range: give one finite number or [low, high]")
    low, high = float(ends[0]), float(ends[1])
    if low > high:
        raise ValueError(f"{key}={value!r} is not a range: low ({low:g}) is above high ({high:g})")
    return low, high


def range_text(ends: tuple[float, float]) -> str:
    """Write a range as a user would.

    Example:
        >>> range_text((5.0, 5.0)), range_text((0.5, 176400.0))
        ('5', '[0.5, 176400]')
    """
    low, high = (f"{end:.10g}" for end in ends)
    return low if low == high else f"[{low}, {high}]"


def uniform(low: float, high: float, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw from the uniform distribution on [low, high), on the generator's device; a range without width gives its value."""
    return low + (high - low) * torch.rand(shape, generator=generator, device=generator.device)


def integers(low: int, high_inclusive: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw integers (int64) from low to high, both included, on the generator's device."""
    return torch.randint(low, high_inclusive + 1, shape, generator=generator, device=generator.device)


def choices(count: int, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw indices (int64) from 0 to count - 1, all equally likely, on the generator's device."""
    return integers(0, count - 1, shape, generator)


def rows_by_value(drawn: Iterable[Drawn]) -> dict[Drawn, list[int]]:
    """List the examples of a batch that have drawn the same, in ascending order of what they drew.

    Args:
        drawn: what each example has drawn, such as a name or an index.

    Returns:
        The rows of the batch that drew each value.

    Example:
        >>> rows_by_value(["pink", "white", "pink"]), rows_by_value(["white", "brown"])
        ({'pink': [0, 2], 'white': [1]}, {'brown': [1], 'white': [0]})
    """
    rows: dict[Drawn, list[int]] = {}
    for row, value in enumerate(drawn):
        rows.setdefault(value, []).append(row)
    return dict(sorted(rows.items()))


def normal(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw from the standard normal distribution, on the generator's device."""
    return torch.randn(shape, generator=generator, device=generator.device)


def random_bytes(count: int, generator: torch.Generator) -> Tensor:
    """Draw bytes, (count,) int8, on the generator's device; one 64-bit draw gives eight of them."""
    words = torch.randint(-(2**63), 2**63 - 1, ((count + 7) // 8,), generator=generator, device=generator.device)
    return words.view(torch.int8)[:count]


def symmetric_uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """Draw from the uniform distribution on [-1, 1) in steps of 2^-15, three times faster than `torch.rand`.

    The grid is 96 dB below full scale, so this is for audio, not for rare events.

    Args:
        shape: shape of the result.
        generator: only source of randomness.

    Returns:
        Values with mean -2^-16 and variance 1/3, on the generator's device.
    """
    return random_bytes(2 * math.prod(shape), generator).view(torch.int16).mul(2.0**-15).view(shape)


def rms(audio: Tensor) -> Tensor:
    """Measure the root mean square of each example over channels and time, without the mean of each channel.

    A mean is not heard and no loudspeaker reproduces it, so that a constant is silence.

    Args:
        audio: (B, C, T).

    Returns:
        Levels, (B, 1, 1), in at least single precision.

    Example:
        >>> rms(torch.tensor([[[1.5, 2.5, 1.5, 2.5]]])).item(), rms(torch.full((1, 1, 4), 0.3)).item()
        (0.5, 0.0)
    """
    audio = audio.to(torch.promote_types(audio.dtype, torch.float32))
    means = audio.mean(dim=2, keepdim=True)
    norms: Tensor = torch.linalg.vector_norm(audio - means, dim=(1, 2), keepdim=True)
    levels = norms / math.sqrt(audio.shape[1] * audio.shape[2])
    return torch.where(levels > _ROUNDING * means.abs().amax(dim=1, keepdim=True), levels, 0)


def at_level(audio: Tensor, level: Tensor) -> Tensor:
    """Scale each example to a level.

    Args:
        audio: (B, C, T). A silent example becomes zero.
        level: wanted `rms`, (B, 1, 1), on the device of the audio.

    Returns:
        Scaled audio, (B, C, T), with the type of the audio.
    """
    own = rms(audio)
    return audio * torch.where(own > 0, level / own.clamp_min(SILENCE), 0).to(audio.dtype)


def scale_to_snr(clean: Tensor, noise: Tensor, snr_db: Tensor) -> Tensor:
    """Scale noise so that `10 log10(sum clean^2 / sum noise^2)`, both without their means, is the asked ratio in each example.

    Args:
        clean: (B, C, T). A silent example gets silent noise.
        noise: (B, C, T). A silent example becomes zero.
        snr_db: signal-to-noise ratio over channels and time in dB, (B,), on any device.

    Returns:
        Scaled noise, (B, C, T).
    """
    return at_level(noise, rms(clean) * 10 ** (-snr_db.to(clean.device).view(-1, 1, 1) / 20))


def _is_finite_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and abs(float(value)) < float("inf")
