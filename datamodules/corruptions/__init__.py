"""Corruptions turn clean audio into damaged audio, a whole batch at a time; one family per file."""

from typing import Protocol

import torch
from torch import Tensor


class Corruption(Protocol):
    """Damage a batch with independent draws per example.

    An implementation keeps no state after its construction, never modifies its input, keeps the length, and delays nothing: the
    corrupted audio stays aligned with the clean audio. The one exception is the mode `hold_causal` of `Quantize`, which repeats
    a published experiment. The level of what is not removed is unchanged, and a silent example stays finite. What else a
    corruption may offer, such as the frequency above which it removes everything, is told in `optional`.
    """

    def __call__(self, clean: Tensor, sample_rate: int, generator: torch.Generator) -> Tensor:
        """Return a corrupted copy of a batch.

        Args:
            clean: Audio, (B, C, T), on any device.
            sample_rate: Its rate in Hz.
            generator: Only source of randomness. It may live on another device than the audio.

        Returns:
            Corrupted audio, (B, C, T), with the type and device of `clean`.
        """
        ...
