"""A metric that needs a network, beside those that every test has."""

from typing import cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import nn

from lightning_modules.base import RestorationModule
from lightning_modules.metrics.collection import MeanOverExamples
from lightning_modules.metrics.mel_features import INFO, FeatureDistance


class JudgedByFeatures(Callback):
    """Score test pairs, restored and corrupted, by the distance of a classifier's features too.

    Args:
        distance: of the pairs.
    """

    def __init__(self, distance: FeatureDistance) -> None:
        self.distance = distance

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Put the metric beside those of the method."""
        scores = cast(RestorationModule, pl_module).scores
        for metrics in scores.values():
            added = MeanOverExamples(self.distance, INFO.higher_is_better).to(pl_module.device)
            cast(nn.ModuleDict, metrics)[INFO.name] = added
