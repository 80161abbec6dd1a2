"""The arguments of a function of torchaudio, as a configuration gives them: checked by its signature, drawn per example."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Union

import torch

from datamodules.draws import as_range, integers, range_text, uniform

Value = float | int | bool | str | None
FILLED_IN = ("waveform", "sample_rate")
PLAIN = (bool, int, float, str)


@dataclass(frozen=True)
class Drawn:
    """A number that each example draws, evenly from `low` to `high`; whole ones with both ends."""

    low: float
    high: float
    whole: bool

    def __str__(self) -> str:
        return range_text((self.low, self.high))

    def draw(self, count: int, generator: torch.Generator) -> list[float]:
        """Draw one number for each of `count` examples."""
        if self.whole:
            return [*map(int, integers(int(self.low), int(self.high), (count,), generator).tolist())]
        drawn: list[float] = uniform(self.low, self.high, (count,), generator).tolist()
        return drawn


def takes_a_signal(function: Callable[..., Any]) -> bool:
    """Say whether a function can be an effect: its first argument is a waveform, and the others that it needs are plain."""
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].name != "waveform":
        return False
    needed = [parameter.name for parameter in parameters[1:] if parameter.default is parameter.empty]
    hints = _hints(function)
    return all(name in FILLED_IN or _plain(hints.get(name)) is not None for name in needed)


def read_arguments(function: Callable[..., Any], given: Mapping[str, Any], key: str) -> dict[str, Value | Drawn]:
    """Read the arguments of a function, but for the signal and its rate.

    Args:
        function: that gets them.
        given: by name, a value each, or for a number `[low, high]` too.
        key: of the function in the configuration, for messages.

    Returns:
        What each is, or what it is drawn from.

    Raises:
        ValueError: if one is unknown, missing, filled in by itself, or of the wrong type.
    """
    parameters, hints = inspect.signature(function).parameters, _hints(function)
    known = [name for name in parameters if name not in FILLED_IN and _plain(hints.get(name)) is not None]
    for name in given:
        if name in FILLED_IN:
            raise ValueError(f"{key}.{name} is filled in by itself: leave it out")
        if name not in known:
            raise ValueError(f"{key}.{name} is no argument that can be given; known: {', '.join(known) or 'none'}")
    missing = [name for name in known if parameters[name].default is inspect.Parameter.empty and name not in given]
    if missing:
        raise ValueError(f"{key} needs {' and '.join(missing)}")
    return {name: _read(value, hints[name], f"{key}.{name}") for name, value in given.items()}


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):  # names known to a type checker only
        return {}


def _plain(hint: Any) -> tuple[type, bool] | None:
    """Return the plain type of an annotation and whether None is allowed beside it; None if it is of another type."""
    options = typing.get_args(hint) if typing.get_origin(hint) in (Union, types.UnionType) else (hint,)
    kinds = [option for option in options if option is not type(None)]
    return (kinds[0], len(kinds) < len(options)) if len(kinds) == 1 and kinds[0] in PLAIN else None


def _read(value: Any, hint: Any, key: str) -> Value | Drawn:
    plain = _plain(hint)
    assert plain is not None
    kind, optional = plain
    if value is None and optional:
        return None
    if kind in (bool, str):
        if not isinstance(value, kind):
            raise ValueError(f"{key}={value!r} must be {'text' if kind is str else 'true or false'}")
        return kind(value)
    return _number(value, key, whole=kind is int)


def _number(value: float | Sequence[float], key: str, whole: bool) -> Value | Drawn:
    low, high = as_range(value, key)
    if whole and not (low.is_integer() and high.is_integer()):
        raise ValueError(f"{key}={value!r} must be a whole number or [low, high] of two such")
    if low < high:
        return Drawn(low, high, whole)
    return int(low) if whole else low
