"""What autoencoders share: a code, and a reconstruction from it."""

import math

from torch import Tensor, nn

from models.layers.mono_batch import from_mono_batch
from models.layers.reach import has_memory_of_all
from models.restorer import StridedRestorer


class CodingNetwork(StridedRestorer):
    """Reconstruct a waveform from a code: what autoencoders share.

    A subclass sets `multiple` and `up`, the blocks that raise the rate.
    """

    identity_at_start = False
    up: nn.ModuleList

    @property
    def reach_samples(self) -> float:
        """Through the code and back; all of the signal if a normalization takes its statistics from it."""
        return math.inf if has_memory_of_all(self.modules()) else self.plan_reach_samples()

    def plan_reach_samples(self) -> int:
        """Return the reach of the convolutions alone."""
        raise NotImplementedError

    def encode(self, signal: Tensor) -> Tensor:
        """Return the code (B * C, F, L) of a signal (B, C, T), any C and T."""
        raise NotImplementedError

    def finish(self, features: Tensor) -> Tensor:
        """Map the last up block's output to the reconstruction (B * C, 1, T'), T' at least T."""
        raise NotImplementedError

    def forward(self, signal: Tensor) -> Tensor:
        """Return the reconstruction.

        Args:
            signal: (B, C, T), any C and T.

        Returns:
            (B, C, T).
        """
        features = self.encode(signal)
        for up in self.up:
            features = up(features)
        return from_mono_batch(self.finish(features), signal)
