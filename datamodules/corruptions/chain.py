"""Corruptions of corruptions: several after each other, in a fixed or a random order, and one that strikes only sometimes."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from datamodules.corruptions import Corruption, optional, settings
from datamodules.draws import uniform
from datamodules.splits import Split


class Chain:
    """Apply several corruptions after each other.

    With `order="random"` every call draws one order for its whole batch, all orders equally likely: an order per example would
    need a call per step and position. What the steps themselves draw stays independent for every example.
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

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file that a step could not use."""
        return [sentence for step in self._steps for sentence in optional.skipped(step)]

    def for_split(self, split: Split) -> "Chain":
        """Return the chain for one split of the clean audio; see `optional.for_split`."""
        return Chain([optional.for_split(step, split) for step in self._steps], self._order)

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what a step refuses; see `optional.check`."""
        for index, step in enumerate(self._steps):
            optional.check(step, sample_rate, channels, f"steps.{index}")

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the lowest cutoff of all steps in Hz; half the sample rate if none has one."""
        return min(optional.cutoff_hz(step, sample_rate) for step in self._steps)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt a batch with all steps.

        Args:
            clean: Audio, (B, C, T).
            sample_rate: Its rate in Hz.
            generator: Only source of randomness.

        Returns:
            Corrupted audio, (B, C, T).
        """
        for index in self._draw_order(generator):
            clean = self._steps[index](clean, sample_rate, generator)
        return clean

    def _draw_order(self, generator: torch.Generator) -> list[int]:
        """Draw the order of the steps, or tell the fixed one without drawing."""
        if self._order == "fixed":
            return list(range(len(self._steps)))
        return torch.randperm(len(self._steps), generator=generator, device=generator.device).tolist()


class RandomApply:
    """Apply a corruption to each example with a probability, and leave the others as they are."""

    def __init__(self, corruption: Corruption, probability: float = 0.5) -> None:
        """Store the corruption.

        Args:
            corruption: What may strike.
            probability: Chance of each example to be struck.

        Raises:
            ValueError: If the probability is not within 0 to 1.
        """
        self._corruption = corruption
        self._probability = settings.probability(probability, "probability")

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file that the corruption could not use."""
        return optional.skipped(self._corruption)

    def for_split(self, split: Split) -> "RandomApply":
        """Return the corruption for one split of the clean audio; see `optional.for_split`."""
        return RandomApply(optional.for_split(self._corruption, split), self._probability)

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what the corruption refuses; see `optional.check`."""
        optional.check(self._corruption, sample_rate, channels)

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the cutoff of the corruption in Hz; half the sample rate if it has none."""
        return optional.cutoff_hz(self._corruption, sample_rate)

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
        rows = struck.nonzero().flatten().to(clean.device)
        if len(rows):
            corrupted[rows] = self._corruption(clean[rows], sample_rate, generator)
        return corrupted
