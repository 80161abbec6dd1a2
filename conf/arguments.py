"""Types of command-line arguments, whose mistakes argparse tells with the argument's name."""

import argparse
import math
from collections.abc import Callable
from pathlib import Path


def some_text(text: str) -> str:
    """Return text that is not blank.

    Raises:
        ArgumentTypeError: if it is, as a variable of the shell that is not set.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError(f"'{text}' must not be empty (an unset variable of the shell gives nothing)")
    return text


def some_path(text: str) -> Path:
    """Return a path that is not blank.

    Raises:
        ArgumentTypeError: as of `some_text`.
    """
    return Path(some_text(text))


def number_within(low: float, high: float = 1e9) -> Callable[[str], float]:
    """Return what reads a number within limits, both included."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{some_text(text)} must be a number from {low:g} to {high:g}")
        return value

    return number


def count(text: str) -> int:
    """Return a whole number from 0 on.

    Raises:
        ArgumentTypeError: if it is none.
    """
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise argparse.ArgumentTypeError(f"{some_text(text)} must be a whole number from 0 to 999999999")
    return int(text)
