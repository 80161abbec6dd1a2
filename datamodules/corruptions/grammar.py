"""How a step is written: its name and its arguments, separated by spaces."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from datamodules.corruptions import Corruption

TEXTS = ("FOLDER",)
"""Arguments that are no numbers."""


@dataclass(frozen=True)
class StepKind:
    """What the grammar knows about a step."""

    arguments: str
    """Names of the required arguments, in order."""
    build: Callable[..., Corruption]
    """Makes the corruption from the arguments."""
    rate_argument: int | None = None
    """Which argument is the sample rate of the result."""
    optional: str = ""
    """Names of the arguments that may follow, in order."""

    def usage(self, name: str) -> str:
        """Write the step as a user would."""
        return f"{name} {self.arguments}" + (f" [{self.optional}]" if self.optional else "")

    def read(self, words: list[str]) -> list[float | str]:
        """Read the arguments.

        Raises:
            ValueError: if there are too few or too many, or one is not what its place asks for.
        """
        required, names = self.arguments.split(), f"{self.arguments} {self.optional}".split()
        if not len(required) <= len(words) <= len(names):
            raise ValueError(f"got {len(words)} arguments")
        return [word if name in TEXTS else finite(word) for name, word in zip(names, words, strict=False)]


def parse(text: str, steps: Mapping[str, StepKind]) -> tuple[Corruption, int | None]:
    """Turn a step's text into its corruption and the rate at which it must run, if it names one.

    Args:
        text: of one step.
        steps: that there are, by name.

    Raises:
        ValueError: if there is no such step, or an argument is not what its place asks for.
    """
    name, *words = text.split() or [""]
    if name not in steps:
        known = ", ".join(kind.usage(step) for step, kind in steps.items())
        raise ValueError(f"steps holds the unknown step {text!r}; known: {known}")
    kind = steps[name]
    try:
        values = kind.read(words)
        rate_hz = None if kind.rate_argument is None else _whole(values[kind.rate_argument])
        return kind.build(*values), rate_hz
    except ValueError as error:
        raise ValueError(f"steps holds {text!r}, which is not '{kind.usage(name)}': {error}") from error


def finite(word: str) -> float:
    """Read a number."""
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(f"{word!r} is not a finite number")
    return value


def _whole(rate_hz: float | str) -> int:
    """Check a sample rate."""
    if isinstance(rate_hz, str) or rate_hz <= 0 or rate_hz != int(rate_hz):
        raise ValueError(f"the rate {rate_hz:g} is not a positive whole number of Hz")
    return int(rate_hz)
