"""What networks that tell what sounds are have in common: layers in a row, and a linear head for every kind of label."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn


class Classifier(nn.Module, ABC):
    """Tell what a sound is, and give the features by which it does.

    Attributes:
        layers: one after the other.
        heads: for each task.
        tasks: that there are labels of.
        classes: that each task has at most.
    """

    layers: nn.ModuleList
    heads: nn.ModuleList
    tasks: int
    classes: int

    @abstractmethod
    def prepared(self, signal: Tensor) -> Tensor:
        """Return what the first layer takes, (B * C, ...), of signals (B, C, T)."""

    def features(self, signal: Tensor, count: int) -> list[Tensor]:
        """Return what the first layers put out.

        Args:
            signal: (B, C, T), each channel by itself.
            count: number of layers.

        Returns:
            For each (B * C, channels of the layer, ...).
        """
        features, found = self.prepared(signal), []
        for layer in list(self.layers)[:count]:
            features = layer(features)
            found.append(features)
        return found

    def forward(self, signal: Tensor, task: int) -> Tensor:
        """Return the logits (B, classes) of a task for signals (B, C, T), the mean over their channels."""
        pooled = self.features(signal, len(self.layers))[-1].flatten(2).mean(dim=-1)  # (B * C, channels of the last layer)
        logits: Tensor = self.heads[task](pooled)
        return torch.unflatten(logits, 0, signal.shape[:2]).mean(dim=1)


def heads(channels: int, tasks: int, classes: int) -> nn.ModuleList:
    """Return a linear layer for every task."""
    return nn.ModuleList(nn.Linear(channels, classes) for _ in range(tasks))
