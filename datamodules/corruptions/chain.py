"""Corruptions of corruptions: several after each other, in a fixed or a random order, and one that strikes only sometimes."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from datamodules.corruptions import Corruption, settings
from datamodules.draws import uniform
from datamodules.splits import Split


class Composite(Corruption):
    """A corruption that is made of others, its parts, and answers for them."""

    @property
    @abstractmethod
    def parts(self) -> dict[str, Corruption]:
        """Return the parts, each under its key in the configuration, such as `steps.1`."""

    @abstractmethod
    def with_parts(self, parts: Sequence[Corruption]) -> "Composite":
        """Return the same corruption with other parts, as many and in the order of `parts`."""

    @property
    def skipped(self) -> list[str]:
        """Return one sentence per file that a part could not use."""
        return [sentence for part in self.parts.values() for sentence in part.skipped]

    def for_split(self, split: Split) -> "Composite":
        """Return the same corruption of the parts for one split of the clean audio; see `Corruption.for_split`."""
        return self.with_parts([part.for_split(split) for part in self.parts.values()])

    def cutoff_hz(self, sample_rate: int) -> float:
        """Return the lowest cutoff of all parts in Hz, at most half the sample rate."""
        return min(sample_rate / 2, *(part.cutoff_hz(sample_rate) for part in self.parts.values()))

    def check(self, sample_rate: int, channels: int) -> None:
        """Refuse what a part refuses; see `Corruption.check`."""
        for key, part in self.parts.items():
            part.check_under(key, sample_rate, channels)


class Chain(Composite):
    """Apply several corruptions after each other.

    With `order="random"` every call draws one order for its whole batch, all orders equally likely: an order per example would
    need a call per step and position. What the steps themselves draw stays independent for every example.
    """

    def __init__(self, steps: Sequence[Corruption], order: Literal["fixed", "random"] = "fixed") -> None:
        """Store the steps.

        Args:
            steps: corruptions; in a fixed order the first one strikes first.
            order: `fixed` or `random`.

        Raises:
            ValueError: if there is no step, a step is not a corruption, or the order is unknown.
        """
        if not steps:
            raise ValueError("steps is empty: give at least one corruption")
        if order not in ("fixed", "random"):
            raise ValueError(f"order={order!r} is unknown; known: fixed, random")
        self._steps = tuple(settings.corruption(step, "steps") for step in steps)
        self._order = order

    @property
    def parts(self) -> dict[str, Corruption]:
        """Return the steps; see `Composite.parts`."""
        return {f"steps.{index}": step for index, step in enumerate(self._steps)}

    def with_parts(self, parts: Sequence[Corruption]) -> "Chain":
        """Return the chain with other steps; see `Composite.with_parts`."""
        return Chain(parts, self._order)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt a batch with all steps.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

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


class RandomApply(Composite):
    """Apply a corruption to each example with a probability, and leave the others as they are."""

    def __init__(self, corruption: Corruption, probability: float = 0.5) -> None:
        """Store the corruption.

        Args:
            corruption: what may strike.
            probability: chance of each example to be struck.

        Raises:
            ValueError: if it is not a corruption, or the probability is not within 0 to 1.
        """
        self._corruption = settings.corruption(corruption, "corruption")
        self._probability = settings.probability(probability, "probability")

    @property
    def parts(self) -> dict[str, Corruption]:
        """Return the one corruption; see `Composite.parts`."""
        return {"corruption": self._corruption}

    def with_parts(self, parts: Sequence[Corruption]) -> "RandomApply":
        """Return the same with another corruption; see `Composite.with_parts`."""
        (corruption,) = parts
        return RandomApply(corruption, self._probability)

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Corrupt some examples of a batch.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz.
            generator: only source of randomness.

        Returns:
            Audio, corrupted or not, (B, C, T).
        """
        corrupted = clean.clone()
        struck = uniform(0.0, 1.0, (clean.shape[0],), generator) < self._probability
        rows = struck.nonzero().flatten().to(clean.device)
        if len(rows):
            corrupted[rows] = self._corruption(clean[rows], sample_rate, generator)
        return corrupted
