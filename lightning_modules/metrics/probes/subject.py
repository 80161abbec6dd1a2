"""What a probe looks at: a method, and test pairs to try it on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Pair:
    """A test pair, and the recording that it is cut from.

    Attributes:
        clean: (C, T).
        corrupted: (C, T).
        recording: name of the file.
    """

    clean: Tensor
    corrupted: Tensor
    recording: str


@dataclass(frozen=True)
class Pairs:
    """Some pairs of a data set, read when they are asked for.

    Attributes:
        dataset: gives {"clean": (C, T), "corrupted": (C, T)} by index.
        recordings: of the chosen pairs by index, in order.
    """

    dataset: Any
    recordings: dict[int, str]

    def __len__(self) -> int:
        """Return how many were chosen."""
        return len(self.recordings)

    def __iter__(self) -> Iterator[Pair]:
        """Read one pair after the other."""
        for index, recording in self.recordings.items():
            pair = self.dataset[index]
            yield Pair(pair["clean"], pair["corrupted"], recording)

    def spread(self, count: int) -> "Pairs":
        """Return up to `count` of them, evenly spread."""
        indices = list(self.recordings)
        chosen = [indices[place * len(indices) // count] for place in range(count)] if count < len(indices) else indices
        return Pairs(self.dataset, {index: self.recordings[index] for index in chosen})


@dataclass(frozen=True)
class Subject:
    """A method under a probe.

    Attributes:
        restorer: maps (B, C, T) to (B, C, T), on its device and without gradients.
        sample_rate: in Hz.
        channels: C of the signals that it takes.
        pairs: of the test.
    """

    restorer: Callable[[Tensor], Tensor]
    sample_rate: int
    channels: int
    pairs: Pairs

    def restore(self, signal: Tensor) -> Tensor:
        """Return the restored signal, (C, T) to (C, T) in float32 on the CPU."""
        with torch.no_grad():
            return self.restorer(signal[None])[0].float().cpu()


Probe = Callable[[Subject], float]
"""From a method to its value; NaN where it has none."""


def mean(values: Sequence[float]) -> float:
    """Return the mean; NaN of nothing."""
    return sum(values) / len(values) if values else float("nan")
