"""Checks of what an adversarial method is configured with, by name: weights, penalties, schedules, gradient norms."""

import math
from collections.abc import Mapping
from typing import Any

from torch import nn

PENALTIES = ("r1", "gradient_penalty")
NETWORKS = ("generator", "discriminator", "autoencoder")


def checked_weights(key: str, weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights as floats.

    Args:
        key: of the model's configuration, for the message.
        weights: by name.

    Raises:
        ValueError: if one is negative, infinite or no number.

    >>> checked_weights("loss_weights", {"l2": 1})
    {'l2': 1.0}
    """
    for name, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise ValueError(f"model.{key}.{name}={weight} must be a number, at least 0; 0 leaves it out")
    return {name: float(weight) for name, weight in weights.items()}


def checked_penalties(weights: Mapping[str, float]) -> dict[str, float]:
    """Return the weights of the discriminator's penalties as floats.

    Raises:
        ValueError: if a penalty is unknown, or as `checked_weights`.
    """
    unknown = sorted(set(weights) - set(PENALTIES))
    if unknown:
        raise ValueError(f"unknown model.penalty_weights {', '.join(unknown)}; known: {', '.join(PENALTIES)}")
    return checked_weights("penalty_weights", weights)


def checked_names(key: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by network.

    Args:
        key: of the model's configuration, for the message.
        settings: by network.

    Raises:
        ValueError: if there is no such network.
    """
    unknown = sorted(set(settings) - set(NETWORKS))
    if unknown:
        raise ValueError(f"unknown networks {', '.join(unknown)} in model.{key}; known: {', '.join(NETWORKS)}")
    return dict(settings)


def checked_norms(norms: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return the largest gradient norms by network.

    Raises:
        ValueError: if one is not positive, or as `checked_names`.
    """
    for name, norm in norms.items():
        if norm is not None and not norm > 0:  # nor is NaN
            raise ValueError(f"model.gradient_clip_norms.{name}={norm} must be positive, or null to leave gradients alone")
    return checked_names("gradient_clip_norms", norms)


def check_penalized(discriminator: nn.Module, penalty_weights: Mapping[str, float]) -> None:
    """Refuse a penalty on the gradient under batch normalization, where examples have no gradient of their own.

    Raises:
        ValueError: naming the norms that go with it.
    """
    batch_norm = any(isinstance(layer, nn.modules.batchnorm._BatchNorm) for layer in discriminator.modules())
    if batch_norm and any(weight > 0 for weight in penalty_weights.values()):
        raise ValueError("model.penalty_weights need model.discriminator.norm=layer, group, spectral or none, not batch")
