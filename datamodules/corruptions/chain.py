"""Corruptions of corruptions: several after each other, in a fixed or a random order, and one that strikes only sometimes."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.draws import uniform


class Chain:
    """Apply several corruptions after each other.

    With `order="random"` every example draws its own order, all orders equally likely.
    """

    def __init__(self, steps: Sequence[Corruption], order: Literal["fixed", "random"] = "fixed") -> None:
        """Store the steps.

        Args:
            steps: Corruptions; in a fixed order the first one strikes first.
            order: `fixed` or `random`.

        Raises:
            ValueError: If there is no step, a step is not a corruption, or the order is unknown.
        """
        if not steps:
            raise ValueError("steps is empty: give at least one corruption")
        for step in steps:
            if not callable(step):
                raise ValueError(f"steps holds {step!r}, which is not a corruption: give each one its _target_")
        if order not in ("fixed", "random"):
            raise ValueError(f"order={order!r} is unknown; known: fixed, random")
        self._steps = tuple(steps)
        self._order = order

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the lowest cutoff of all steps in Hz; half the sample rate if none has one."""
        return min(cutoff_hz(step, sample_rate) for step in self._steps)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt a batch with all steps.

        Args:
            clean: Audio, (B, C, T).
            sample_rate: Its rate in Hz.
            generator: Only source of randomness.

        Returns:
            Corrupted audio, (B, C, T).
        """
        if self._order == "random":
            return self._in_random_order(clean, sample_rate, generator)
        for step in self._steps:
            clean = step(clean, sample_rate, generator)
        return clean

    def _in_random_order(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Draw an order per example; at each position, let every step strike the examples that have it there."""
        corrupted = clean.clone()
        orders = uniform(0.0, 1.0, (clean.shape[0], len(self._steps)), generator).argsort(dim=1)
        for position in orders.unbind(dim=1):
            for index, step in enumerate(self._steps):
                _corrupt_rows(corrupted, position == index, step, sample_rate, generator)
        return corrupted


class Sometimes:
    """Apply a corruption to each example with a probability, and leave the others as they are."""

    def __init__(self, corruption: Corruption, probability: float = 0.5) -> None:
        """Store the corruption.

        Args:
            corruption: What may strike.
            probability: Chance of each example to be struck.

        Raises:
            ValueError: If the probability is not within 0 to 1.
        """
        if not 0 <= probability <= 1:
            raise ValueError(f"probability={probability!r} is not within 0 to 1")
        self._corruption = corruption
        self._probability = probability

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the cutoff of the corruption in Hz; half the sample rate if it has none."""
        return cutoff_hz(self._corruption, sample_rate)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt some examples of a batch.

        Args:
            clean: Audio, (B, C, T).
            sample_rate: Its rate in Hz.
            generator: Only source of randomness.

        Returns:
            Audio, corrupted or not, (B, C, T).
        """
        corrupted = clean.clone()
        struck = uniform(0.0, 1.0, (clean.shape[0],), generator) < self._probability
        _corrupt_rows(corrupted, struck, self._corruption, sample_rate, generator)
        return corrupted


def cutoff_hz(corruption: Corruption, sample_rate: int) -> float:
    """Ask a corruption for the frequency above which it removes everything.

    Args:
        corruption: Any corruption.
        sample_rate: Rate in Hz.

    Returns:
        The cutoff in Hz; half the sample rate for a corruption that does not limit the band.
    """
    ask = getattr(corruption, "cutoff_hz", None)
    return sample_rate / 2 if ask is None else min(ask(sample_rate), sample_rate / 2)


def _corrupt_rows(audio: Tensor, chosen: Tensor, corruption: Corruption, sample_rate: int, generator: torch.Generator) -> None:
    """Replace the chosen examples, (B,) boolean, of `audio` in place by their corrupted selves."""
    rows = chosen.nonzero().flatten().to(audio.device)
    if len(rows):
        audio[rows] = corruption(audio[rows], sample_rate, generator)
