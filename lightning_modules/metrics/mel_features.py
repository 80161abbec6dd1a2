"""How far two signals are apart for a network that tells sounds by their log-mel spectra.

Features are compared as in Zhang et al. (arXiv 1801.03924, equation 1) with all weights 1.
"""

import torch
from torch import Tensor
from torch.nn import functional

from lightning_modules.metrics.registry import METRICS, MetricInfo
from models.mel_classifier import MelClassifier

INFO: MetricInfo = METRICS["mel_features"]
FARTHEST = 2.0
"""Squared distance of directions that have nothing in common; features are not negative."""


class FeatureDistance:
    """Mean over layers, time and bands of |f / |f| - g / |g||^2 for features f and g over the channels of a layer.

    Args:
        judge: whose features are compared; it is not moved.
    """

    def __init__(self, judge: MelClassifier) -> None:
        self.judge = judge.eval().requires_grad_(False)

    def __call__(self, restored: Tensor, clean: Tensor) -> Tensor:
        """Compare signals (B, C, T).

        Returns:
            (B,) from 0, for equal signals, to 2, for one that is not finite.
        """
        judge = self.judge.to(restored.device)
        finite = restored.isfinite().flatten(1).all(dim=1)
        usable = torch.where(finite[:, None, None], restored, 0.0)
        with torch.no_grad(), torch.autocast(restored.device.type, enabled=False):
            found, wanted = (judge.features(signal.float(), len(judge.layers)) for signal in (usable, clean))
        distances = [_distance(one, other) for one, other in zip(found, wanted, strict=True)]  # (B * C,) each
        per_example = torch.stack(distances).mean(dim=0).unflatten(0, restored.shape[:2]).mean(dim=1)
        return torch.where(finite, per_example, FARTHEST)


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    """Compare the directions of features (N, channels, bands, frames), (N,)."""
    directions = (functional.normalize(features, dim=1) for features in (found, wanted))
    squared = (next(directions) - next(directions)).square().sum(dim=1)  # (N, bands, frames)
    return squared.mean(dim=(1, 2))
