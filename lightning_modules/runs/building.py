"""Build a stranger's description without letting it take more memory or time than the weights beside it justify."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules import module as hooks

MOST_SETTINGS, DEEPEST = 20_000, 30
"""A description with more, or nested deeper, is none; references can make any number out of a few bytes."""
SPARE_VALUES, SPARE_MODULES = 1 << 20, 1000
"""What a method may have beside its weights, such as windows, and how many modules without any."""
RATES_HZ = (1000, 768_000)
"""What a sample rate can be."""
LARGEST_WHOLE = 1 << 63
"""No setting is a larger whole number: no tensor could hold it."""


class DescriptionError(ValueError):
    """A description that no method can be built from."""


def check_description(description: Mapping[str, Any]) -> None:
    """Refuse a description that is not made of names, numbers, texts and lists, is too large, or has an impossible sample rate.

    Raises:
        DescriptionError: naming the setting.
    """
    _Walk().over(description, "model_config", 0)
    if "sample_rate" in description:
        rate = description["sample_rate"]
        if isinstance(rate, bool) or not isinstance(rate, int) or not RATES_HZ[0] <= rate <= RATES_HZ[1]:
            low, high = RATES_HZ
            raise DescriptionError(f"sample_rate is {str(rate)[:40]!r}; allowed: a whole number of Hz from {low} to {high}")


class _Walk:
    """Look at every value of a description, each once more for every reference to it, up to a number of them."""

    def __init__(self) -> None:
        self._left = MOST_SETTINGS

    def over(self, value: object, key: str, depth: int) -> None:
        self._left -= 1
        if self._left < 0 or depth > DEEPEST:
            raise DescriptionError(f"model_config holds more than {MOST_SETTINGS} settings, or nests them deeper than {DEEPEST}")
        if isinstance(value, Mapping):
            for name, entry in value.items():
                if not isinstance(name, str):
                    raise DescriptionError(f"{key} has a setting named by a {type(name).__name__}")
                self.over(entry, name[:80], depth + 1)
        elif isinstance(value, list | tuple):
            for entry in value:
                self.over(entry, key, depth + 1)
        elif value is not None and not isinstance(value, str | bool | int | float):
            raise DescriptionError(f"{key} is a {type(value).__name__}; allowed: texts, numbers, lists and mappings")
        elif isinstance(value, float) and math.isnan(value):
            raise DescriptionError(f"{key} is not a number")
        elif isinstance(value, int) and abs(value) >= LARGEST_WHOLE:
            raise DescriptionError(f"{key} is a whole number of {len(str(value)[:4000])} digits or more")


@contextmanager
def no_larger_than(weights: Mapping[str, Tensor]) -> Iterator[None]:
    """While entered, refuse modules and parameters beyond what some weights can fill, before a parameter is filled.

    Raises:
        DescriptionError: from the constructor that goes beyond.
    """
    left = {
        "values": SPARE_VALUES + sum(value.numel() for value in weights.values()),
        "modules": SPARE_MODULES + 50 * len(weights),
    }

    def spend(kind: str, count: int) -> None:
        left[kind] -= count
        if left[kind] < 0:
            raise DescriptionError(f"model_config describes a method that is larger than the weights: too many {kind}")

    def values(module: nn.Module, name: str, value: Tensor | None) -> None:
        spend("values", 0 if value is None else value.numel())

    def modules(module: nn.Module, name: str, child: nn.Module | None) -> None:
        spend("modules", 1)

    handles = [
        hooks.register_module_parameter_registration_hook(values),
        hooks.register_module_buffer_registration_hook(values),
        hooks.register_module_module_registration_hook(modules),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
