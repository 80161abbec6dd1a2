"""Overload: hard and soft clipping at a level relative to each example's peak."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from datamodules.corruptions import Corruption
from datamodules.corruptions.settings import known_names
from datamodules.draws import Range, as_range, choices, uniform


def clip_hard(audio: Tensor, threshold: Tensor) -> Tensor:
    """Limit audio to the interval from -threshold to threshold and leave what is inside as it is."""
    return torch.maximum(torch.minimum(audio, threshold), -threshold)


def clip_soft(audio: Tensor, threshold: Tensor) -> Tensor:
    """Saturate audio as `threshold * tanh(audio / threshold)`, whose slope at 0 is 1: quiet passages keep their level."""
    return threshold * torch.tanh(audio / threshold)


SHAPES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"hard": clip_hard, "soft": clip_soft}


class Clipping(Corruption):
    """Clip each example at a drawn depth below its own peak, hard or soft, without any make-up gain.

    All channels of an example share the threshold, `peak * 10^(-depth_db / 20)` with the peak over channels and time.
    """

    def __init__(self, depth_db: Range = (3.0, 20.0), shapes: Sequence[str] = ("hard", "soft")) -> None:
        """Check the settings.

        Args:
            depth_db: how far the threshold lies below the peak in dB, as a number or `[low, high]`; 0 does not clip hard.
            shapes: curves of which each example draws one: `hard`, `soft`.

        Raises:
            ValueError: if a depth is negative or a shape is unknown.
        """
        self._depth_db = as_range(depth_db, "depth_db")
        if self._depth_db[0] < 0:
            raise ValueError(f"depth_db={depth_db!r} must not be negative")
        self._shapes = tuple(SHAPES[name] for name in known_names(shapes, "shapes", SHAPES))

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Clip a batch.

        Args:
            clean: audio, (B, C, T).
            sample_rate: its rate in Hz, without influence.
            generator: only source of randomness.

        Returns:
            Clipped audio, (B, C, T).
        """
        depth_db = uniform(*self._depth_db, (clean.shape[0], 1, 1), generator)
        drawn = choices(len(self._shapes), (clean.shape[0], 1, 1), generator).to(clean.device)
        peak = clean.abs().amax(dim=(1, 2), keepdim=True)
        threshold = (peak * (10 ** (-depth_db / 20)).to(clean)).clamp_min(torch.finfo(clean.dtype).tiny)
        clipped = self._shapes[0](clean, threshold)
        for index, shape in enumerate(self._shapes[1:], start=1):
            clipped = torch.where(drawn == index, shape(clean, threshold), clipped)
        return clipped
