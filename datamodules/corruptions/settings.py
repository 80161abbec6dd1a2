"""Checks of the settings that several corruptions share."""

from collections.abc import Iterable, Sequence

from datamodules.corruptions import Corruption
from datamodules.draws import Range, as_range


def corruption(value: object, key: str) -> Corruption:
    """Check that a setting is a corruption.

    Args:
        value: whatever the configuration made.
        key: name of the setting, for the error message.

    Raises:
        ValueError: if its class does not derive from `Corruption`.
    """
    if not isinstance(value, Corruption):
        raise ValueError(
            f"{key} holds {value!r}, which is not a corruption: give the _target_ of a class that derives from Corruption"
        )
    return value


def known_names(names: Sequence[str], key: str, known: Iterable[str]) -> tuple[str, ...]:
    """Check a list of names.

    Args:
        names: at least one name.
        key: name of the setting, for the error message.
        known: all that are allowed.

    Returns:
        The names.

    Raises:
        ValueError: if `names` is a single string, is empty or holds an unknown name.
    """
    allowed = list(known)
    if isinstance(names, str) or not names or set(names) - set(allowed):
        raise ValueError(f"{key}={names!r} is not a list of known names; known: {', '.join(allowed)}")
    return tuple(names)


def probability(value: float, key: str) -> float:
    """Check a probability.

    Raises:
        ValueError: if `value` is not within 0 to 1.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"{key}={value!r} is not a probability from 0 to 1")
    return value


def whole_range(value: Range, key: str, lowest: int, highest: int) -> tuple[int, int]:
    """Read a whole number or `[low, high]` of whole numbers.

    Raises:
        ValueError: if an end is not a whole number from `lowest` to `highest`.

    Example:
        >>> whole_range([2, 12], "order", 1, 16)
        (2, 12)
    """
    low, high = as_range(value, key)
    if not (low.is_integer() and high.is_integer() and lowest <= low <= high <= highest):
        raise ValueError(f"{key}={value!r} is not made of whole numbers from {lowest} to {highest}")
    return int(low), int(high)


def positive_range(value: Range, key: str) -> tuple[float, float]:
    """Read a number or `[low, high]`, above 0.

    Raises:
        ValueError: if it is not a range, or not above 0.
    """
    low, high = as_range(value, key)
    if low <= 0:
        raise ValueError(f"{key}={value!r} must be above 0")
    return low, high


def range_within(value: Range, key: str, lowest: float, highest: float) -> tuple[float, float]:
    """Read a number or `[low, high]` and check its limits.

    Raises:
        ValueError: if the range is not within `lowest` to `highest`.
    """
    low, high = as_range(value, key)
    if not lowest <= low <= high <= highest:
        raise ValueError(f"{key}={value!r} is not within {lowest:g} to {highest:g}")
    return low, high
