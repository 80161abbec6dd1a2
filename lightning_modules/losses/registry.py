"""The unit of every term that a training minimizes, for programs that tell of trainings: no tensors here.

The functions of the reconstruction terms are attached in reconstruction.py, which refuses to be imported without one.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class LossInfo:
    """What is known of a loss without computing it.

    Attributes:
        name: in configurations and logs.
        title: what people call it.
        unit: of its values, FS being full scale; empty for what is no quantity.
    """

    name: str
    title: str
    unit: str = ""


_RECONSTRUCTION = (
    LossInfo("l2", "mean squared error", "FS^2"),
    LossInfo("l1", "mean absolute error", "FS"),
    LossInfo("log_mse", "negative signal-to-noise ratio", "dB"),
    LossInfo("mr_stft", "multi-resolution STFT distance"),
    LossInfo("deep_feature", "distance of a classifier's features"),
)
RECONSTRUCTION: Mapping[str, LossInfo] = {info.name: info for info in _RECONSTRUCTION}
"""By name."""
SAID_BY = {"feature": "feature_distance", "autoencoder/loss": "autoencoder_loss"}
"""Terms that are whatever loss this key of the method's configuration names, but not between signals."""
SUMS = ("train/loss", "train/warm_up", "train/weighted_", "discriminator/accuracy")
"""Beginnings of logged names that are sums and parts of other terms."""


def levels(config: Mapping[str, object]) -> dict[str, str]:
    """Return for each term that is a level in dB by a method's configuration the loss that says so.

    >>> levels({"feature_distance": "log_mse", "autoencoder_loss": "l2"})
    {'feature': 'log_mse'}
    """
    named = {term: str(config.get(key)) for term, key in SAID_BY.items()}
    return {term: loss for term, loss in named.items() if loss in RECONSTRUCTION and RECONSTRUCTION[loss].unit == "dB"}
