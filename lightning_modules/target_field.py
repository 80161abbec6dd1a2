"""Regression on the middle of windows: what lies at their ends is there to be looked at.

Rethage, Pons and Serra, "A WaveNet for speech denoising" (arXiv 1706.07162), section 3.2: the target field is what a network
restores at once, and all of it sees as far as it can.
"""

from typing import Unpack

from torch import Tensor

from lightning_modules.base import Batch
from lightning_modules.regression import RegressionModule, RegressionSettings
from models.layers.counts import check_count


class TargetFieldModule(RegressionModule):
    """Compare the middle of every window only.

    Args:
        target_samples: that are compared; a shorter window is compared whole. None compares all of any.
        regression: as of `RegressionModule`, each an argument of its own.

    Raises:
        ValueError: if the number is none, and as `RegressionModule`.
    """

    def __init__(self, *, target_samples: int | None = None, **regression: Unpack[RegressionSettings]) -> None:
        super().__init__(**regression)
        if target_samples is not None:
            check_count("model.target_samples", target_samples)
        self.target_samples = target_samples

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of the middle of a batch and log its terms, unweighted, under `train/`."""
        restored = self.restore(batch["corrupted"])
        return self.total(self.loss.terms(self.middle(restored), self.middle(batch["clean"])), batch)

    def middle(self, signal: Tensor) -> Tensor:
        """Return the middle (B, C, target_samples) of signals (B, C, T)."""
        samples = signal.shape[-1]
        kept = samples if self.target_samples is None else min(samples, self.target_samples)
        start = (samples - kept) // 2
        return signal[..., start : start + kept]
